import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import type { Socket } from 'node:net';
import { buildConnector, errors as undiciErrors } from 'undici';

/** How a name is resolved; `dns.lookup` as Node calls it. */
export type Lookup = (
  hostname: string,
  options: LookupOptions,
  callback: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
) => void;

export interface ConnectorOptions {
  readonly lookup?: Lookup;
  /** Longest time of one attempt, TLS included, ms; 0: no limit. Default 10 000. */
  readonly timeoutMs?: number;
  /** Whether a server that speaks TLS may choose HTTP/2; some speak nothing else. */
  readonly allowH2?: boolean;
  /** Ends the attempts that are under way. */
  readonly signal?: AbortSignal;
}

/** A new address is tried after so long, beside those that are under way (RFC 8305, section 5). */
const NEXT_ADDRESS_MS = 250;

type Connected = Parameters<buildConnector.connector>[1];

/**
 * Connects as browsers and curl do where a name has several addresses (RFC 8305): the first TCP connection wins. Node's own way
 * gives up each address but the last one after 250 ms, so that a slow one is called dead.
 */
export function createConnector({
  lookup = systemLookup,
  timeoutMs = 10_000,
  allowH2 = false,
  signal,
}: ConnectorOptions = {}): buildConnector.connector {
  return (options, callback) => {
    const { begin, fail } = race(callback, signal, (address, done) => {
      const connect = buildConnector({ timeout: 0, allowH2, lookup: fixed(address), autoSelectFamily: false });
      const socket = connect(options, done) as unknown as Socket; // the types leave out what it returns
      endAfter(timeoutMs, socket, address);
      return socket;
    });
    const resolved = guarded(fail, (error: Error | null, found: string | LookupAddress[]) => {
      if (error) fail(error);
      else begin(typeof found === 'string' ? [{ address: found, family: found.includes(':') ? 6 : 4 }] : found);
    });
    guarded(fail, () => lookup(options.hostname, { all: true }, resolved))();
  };
}

/** By a timer of its own: those of undici (7.30.2) are checked every half second, and one did not fire for two minutes. */
function endAfter(timeoutMs: number, socket: Socket, { address }: LookupAddress): void {
  if (timeoutMs === 0) return;
  const giveUp = (): void =>
    void socket.destroy(new undiciErrors.ConnectTimeoutError(`${address} was not connected within ${timeoutMs} ms`));
  const timer = setTimeout(giveUp, timeoutMs);
  const stop = (): void => clearTimeout(timer);
  socket.once('encrypted' in socket ? 'secureConnect' : 'connect', stop).once('close', stop);
}

/** What a callback throws would end the process, as nobody could catch it: it is the connection's error instead. */
const guarded =
  <Args extends unknown[]>(fail: (error: Error) => void, run: (...args: Args) => void) =>
  (...args: Args): void => {
    try {
      run(...args);
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  };

/** Resolves any name to one address. */
const fixed =
  ({ address, family }: LookupAddress): Lookup =>
  (_name, { all }, callback) =>
    all === true ? callback(null, [{ address, family }]) : callback(null, address, family);

/** The order of the resolver, with the families in turn (RFC 8305, section 4). */
function interleaved(addresses: readonly LookupAddress[]): LookupAddress[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family);
  const other = addresses.filter(({ family }) => family !== addresses[0]?.family);
  return Array.from({ length: Math.max(first.length, other.length) }, (_, index) => [first[index], other[index]])
    .flat()
    .filter((address) => address !== undefined);
}

/** Connects to the addresses that `begin` is given, and reports once: the first connection, or why there is none. */
function race(
  callback: Connected,
  signal: AbortSignal | undefined,
  attempt: (address: LookupAddress, done: Connected) => Socket,
): { begin(addresses: readonly LookupAddress[]): void; fail(error: Error): void } {
  let waiting: LookupAddress[] = [];
  const open = new Set<Socket>();
  const errors: Error[] = [];
  let timer: NodeJS.Timeout | undefined;
  let over = false;

  const finish = (...result: Parameters<Connected>): void => {
    if (over) return;
    over = true;
    stopOthers(result[1]);
    signal?.removeEventListener('abort', onAbort);
    callback(...result);
  };
  const fail = (error: Error): void => finish(error, null);
  const stopOthers = (winner: unknown): void => {
    clearTimeout(timer);
    waiting = [];
    for (const socket of open) if (socket !== winner) socket.destroy();
  };
  const onAbort = (): void => fail(new Error('aborted'));

  const next = guarded(fail, () => {
    clearTimeout(timer);
    const address = waiting.shift();
    if (address === undefined) return;
    if (waiting.length > 0) timer = setTimeout(next, NEXT_ADDRESS_MS);
    const done = guarded(fail, (...[error, connected]: Parameters<Connected>) => {
      if (error === null) {
        finish(null, connected);
        return;
      }
      open.delete(socket);
      errors.push(error);
      if (waiting.length > 0) next();
      else if (open.size === 0) fail(errors.length === 1 ? error : allFailed(errors));
    });
    const socket = attempt(address, done);
    open.add(socket);
    // From here on this address decides: what fails now is TLS, which another address must not hide.
    socket.once('connect', () => {
      stopOthers(socket);
      open.clear();
      open.add(socket);
    });
  });

  const begin = (addresses: readonly LookupAddress[]): void => {
    waiting = interleaved(addresses);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    else if (waiting.length === 0) fail(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }));
    else next();
  };
  return { begin, fail };
}

function allFailed(errors: readonly Error[]): AggregateError {
  const [first] = errors;
  const code = first !== undefined && 'code' in first ? first.code : undefined;
  return Object.assign(new AggregateError(errors, 'no address could be connected'), { code });
}
