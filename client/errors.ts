/** What kind of failure it is; each has an exit code of its own (exit-codes.ts). */
export type FailureKind = 'unexpected' | 'refused' | 'unreachable' | 'not_found' | 'bad_settings';

/** A failure that is told to people as it stands: one sentence, and what to do next. */
export class D2dError extends Error {
  override readonly name: string = 'D2dError';
  readonly kind: FailureKind;
  /** The next step; `null` where the message says it all. */
  readonly hint: string | null;

  constructor(kind: FailureKind, message: string, hint: string | null = null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.hint = hint;
  }
}

/** A second start while a deploy of the same work item runs. */
export class AlreadyRunning extends D2dError {
  override readonly name = 'AlreadyRunning';
  readonly workflowId: string;
  /** `null` where the run had ended by the time it was asked for. */
  readonly runId: string | null;

  /** @param isOver whether its deploy is over, so that it only waits to write what it owes the tracker. */
  constructor(workItem: string, workflowId: string, runId: string | null, isOver: boolean, cause: unknown) {
    const run = `${workflowId}${runId === null ? '' : ` (run ${runId})`}`;
    super(
      'refused',
      isOver
        ? `${workItem}: its last deploy is over, and still writes or reads back its status: ${run}`
        : `${workItem}: a deploy is running already: ${run}`,
      isOver
        ? `start it again in a minute; if this lasts, d2d status ${workItem} says why`
        : `look at it with d2d status ${workItem}; end it with d2d cancel ${workItem} --run --reason "…" before you start another`,
      cause,
    );
    this.workflowId = workflowId;
    this.runId = runId;
  }
}

export const refused = (message: string, hint: string | null = null): D2dError =>
  new D2dError('refused', message, hint);

export const notFound = (message: string, hint: string): D2dError => new D2dError('not_found', message, hint);
