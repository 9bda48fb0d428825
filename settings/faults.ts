/** Exit code of a process that its settings keep from starting (`EX_CONFIG` of sysexits.h). */
export const EXIT_BAD_SETTINGS = 78;

/** Settings that cannot be worked with. The message lists every fault, one a line; no secret is in it. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = Object.freeze([...faults]);
  }
}

/** Longest text that a message repeats, characters. */
const QUOTED = 80;

/** Whether a text looks like `user:password@host`, wherever it stands: it is then shown to nobody. */
export function holdsCredentials(text: string): boolean {
  const colon = text.indexOf(':');
  return colon >= 0 && text.includes('@', colon);
}

/** A value as a message repeats it: on one line, shortened, and not at all where a password may be in it. */
export function quote(value: unknown): string {
  switch (typeof value) {
    case 'string':
      if (holdsCredentials(value)) return 'a value that is not shown, as a password may be in it';
      return JSON.stringify(value.length > QUOTED ? `${value.slice(0, QUOTED)}…` : value);
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'undefined':
      return 'nothing';
    default:
      return value === null ? 'nothing' : Array.isArray(value) ? 'a list' : 'a map';
  }
}

/** `a, b or c`. */
export const either = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

const UNREADABLE: ReadonlyMap<unknown, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'it is a folder'],
]);

/** Why a file could not be read. The error's own message would repeat the path, in whose place a secret may stand by mistake. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return UNREADABLE.get(code) ?? (typeof code === 'string' ? code : 'it cannot be read');
}
