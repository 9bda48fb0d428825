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

/** The run that keeps another one of the same work item from starting. */
interface RunThere {
  readonly runId: string | null;
  /** Its deploy is over, so that it only waits to write what it owes the tracker. */
  readonly isOver: boolean;
  /** The task queue of another installation, where it runs there. */
  readonly elsewhere: string | null;
}

/** A second start while a deploy of the same work item runs. */
export class AlreadyRunning extends D2dError {
  override readonly name = 'AlreadyRunning';
  readonly workflowId: string;
  /** `null` where the run had ended by the time it was asked for. */
  readonly runId: string | null;

  constructor(workItem: string, workflowId: string, { runId, isOver, elsewhere }: RunThere, cause: unknown) {
    const where = elsewhere === null ? '' : ` on task queue ${elsewhere}`;
    const run = `${workflowId}${runId === null ? '' : ` (run ${runId})`}${where}`;
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
