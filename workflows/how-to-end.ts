/** A deploy or window that is under way, as Temporal has it. */
interface UnderWay {
  readonly workItem: string;
  /** `deployToDone` or `postDeployMonitor`. */
  readonly type: string;
  readonly phase: string | null;
}

/** The command that ends a deploy or window, for the message of whatever it keeps waiting. */
export function howToEnd({ workItem, type, phase }: UnderWay): string {
  if (type === 'postDeployMonitor' || phase === 'monitoring') return `d2d close ${workItem} --reason "…"`;
  if (phase === 'unknown') return `d2d resolve ${workItem} --deployed | --not-deployed --reason "…"`;
  return `d2d cancel ${workItem} --run --reason "…"`;
}
