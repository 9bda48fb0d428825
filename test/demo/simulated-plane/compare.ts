/** Compares a recorded answer with a simulated one: ids are mapped, times and counters only have to look alike, all else is equal. */

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;
const WHOLE_UUID = new RegExp(`^${UUID.source}$`, 'i');
/** Times of the recording's own day; others (2001, 2020) were sent by the recording and must come back as they are. */
const RECORDED_TIME = /^2026-11-23T\d{2}:\d{2}:\d{2}\.\d{6}Z$/;

/** Recorded ids and the simulated ones that stand for them. */
export class IdMap {
  readonly #toSimulated = new Map<string, string>();
  readonly #toRecorded = new Map<string, string>();

  learn(recorded: string, simulated: string): boolean {
    const known = this.#toSimulated.get(recorded) ?? simulated;
    const back = this.#toRecorded.get(simulated) ?? recorded;
    if (known !== simulated || back !== recorded) return false;
    this.#toSimulated.set(recorded, simulated);
    this.#toRecorded.set(simulated, recorded);
    return true;
  }

  /** A text with every known recorded id replaced; the spelling (upper case) is kept. */
  translate(text: string): string {
    return text.replace(UUID, (id) => {
      const known = this.#toSimulated.get(id.toLowerCase()) ?? id;
      return id === id.toLowerCase() ? known : known.toUpperCase();
    });
  }
}

/** Differences between two JSON values, as lines; empty where they match. Key order counts: the simulator writes it like Plane. */
export function differences(recorded: unknown, simulated: unknown, ids: IdMap, at = 'body'): string[] {
  if (typeof recorded === 'string' && typeof simulated === 'string') {
    if (WHOLE_UUID.test(recorded) && WHOLE_UUID.test(simulated) && recorded === recorded.toLowerCase()) {
      return ids.learn(recorded, simulated) ? [] : [`${at}: ${simulated} does not stand for ${recorded}`];
    }
    if (RECORDED_TIME.test(recorded))
      return RECORDED_TIME.test(simulated) ? [] : [`${at}: ${simulated} is not a time as ${recorded}`];
    return ids.translate(recorded) === simulated
      ? []
      : [`${at}: ${JSON.stringify(simulated)}, recorded ${JSON.stringify(recorded)}`];
  }
  if (Array.isArray(recorded) && Array.isArray(simulated)) {
    if (recorded.length !== simulated.length)
      return [`${at}: ${simulated.length} entries, recorded ${recorded.length}`];
    return recorded.flatMap((entry, index) => differences(entry, simulated[index], ids, `${at}[${index}]`));
  }
  if (isObject(recorded) && isObject(simulated)) {
    const [keys, simulatedKeys] = [Object.keys(recorded), Object.keys(simulated)];
    if (keys.join() !== simulatedKeys.join()) return [`${at}: keys ${simulatedKeys.join()}, recorded ${keys.join()}`];
    return keys.flatMap((key) =>
      key === 'epoch'
        ? isNumber(simulated[key], `${at}.epoch`)
        : differences(recorded[key], simulated[key], ids, `${at}.${key}`),
    );
  }
  return Object.is(recorded, simulated)
    ? []
    : [`${at}: ${JSON.stringify(simulated)}, recorded ${JSON.stringify(recorded)}`];
}

/** Of the connection, not of Plane: the server's name, the date, how the body is framed. */
const NOT_COMPARED = new Set(['date', 'server', 'connection', 'keep-alive', 'transfer-encoding']);
const COUNTERS = new Set(['x-ratelimit-remaining', 'x-ratelimit-reset']);

export function headerDifferences(
  recorded: Readonly<Record<string, string>>,
  simulated: Readonly<Record<string, string>>,
  ids: IdMap,
  countersExact: boolean,
): string[] {
  const names = new Set(
    [...Object.keys(recorded), ...Object.keys(simulated)].filter((name) => !NOT_COMPARED.has(name)),
  );
  return [...names].flatMap((name) => {
    const [expected, given] = [recorded[name], simulated[name]];
    if (expected === undefined || given === undefined) return [`header ${name}: ${given}, recorded ${expected}`];
    if (COUNTERS.has(name) && !(countersExact && name === 'x-ratelimit-remaining'))
      return /^\d+$/.test(given) ? [] : [`header ${name}: ${given}`];
    // The length says that the bytes are alike; a compressed one depends on the values of ids and times.
    if (name === 'content-length' && recorded['content-encoding'] !== undefined) return [];
    return ids.translate(expected) === given ? [] : [`header ${name}: ${given}, recorded ${expected}`];
  });
}

const isNumber = (value: unknown, at: string): string[] => (typeof value === 'number' ? [] : [`${at}: not a number`]);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
