/** One HTTP request to the API: logged, met by a fault if one is ordered, handled, answered. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { answer } from './answer.ts';
import type { Faults, Mode, Phase } from './faults.ts';
import { onTheWire, ordered, send, sendHalf, trickle, WEB_APP_PAGE, type WireAnswer } from './http-answer.ts';
import { type ApiRequest, type Handling, handleApi } from './pipeline.ts';
import type { LoggedRequest } from './request-log.ts';
import { matchRoute } from './routes.ts';
import type { Throttle } from './throttle.ts';
import type { World } from './world.ts';

const DEFAULT_TRICKLE_MS = 200;
/** Django's own limit (FILE_SIZE_LIMIT). */
const MAX_BODY_BYTES = 5 * 1024 * 1024;

export interface ServeDeps {
  readonly world: World;
  readonly throttle: Throttle;
  readonly faults: Faults;
  readonly log: LoggedRequest[];
  /** A person moves the item of this path meanwhile (fault `lostUpdate`). */
  readonly moveByPerson: (path: string, stateName: string) => void;
  readonly refuseConnections: (ms: number) => void;
}

export async function serveApi(
  deps: ServeDeps,
  request: IncomingMessage,
  response: ServerResponse,
  raw: string,
): Promise<void> {
  const { world, throttle, faults, log } = deps;
  const method = request.method ?? 'GET';
  const target = request.url ?? '/';
  const entry: LoggedRequest = {
    at: world.clock(),
    method,
    path: target,
    body: raw,
    by: null,
    status: null,
    applied: false,
    fault: null,
  };
  log.push(entry);
  const fault = faults.take(method, target);
  entry.fault = fault?.mode ?? null;
  const stop = (phase: Phase): Promise<void> => pause(deps, fault, phase, { method, path: target, phase });
  const finish = (given: WireAnswer, sender = send): void => {
    entry.status = given.status;
    sender(response, given);
  };

  const instead = answerInstead(fault, target);
  if (instead === 'reset') {
    if (fault?.mode === 'connRefused') deps.refuseConnections(fault.ms);
    response.socket?.resetAndDestroy();
    return;
  }
  if (instead !== null) return finish(instead);
  await stop('before');
  if (fault?.mode === 'hang' && fault.phase !== 'after') return;

  const handling: Handling = {
    async midway() {
      await stop('midway');
      if (fault?.mode === 'lostUpdate') deps.moveByPerson(target, fault.to);
    },
    jobsLost: fault?.mode === 'dropJobs' || (fault?.mode === 'applyThenStatus' && fault.loseJobs === true),
    lagMs: fault?.mode === 'staleReads' && method === 'GET' ? fault.lagMs : 0,
    ignoreState: fault?.mode === 'stateIgnored',
  };
  const api = apiRequest(request, raw);
  const outcome =
    raw.length > MAX_BODY_BYTES
      ? {
          answer: answer(413, {
            error: 'REQUEST_BODY_TOO_LARGE',
            detail: 'The size of the request body exceeds the maximum allowed size.',
          }),
          headers: {},
          by: null,
        }
      : await handleApi(world, throttle, api, handling);
  entry.by = outcome.by;
  entry.applied = outcome.answer.applied;
  await stop('after');
  // Half of a JSON text is what `badJson` means, not half of its compressed bytes.
  const wire = onTheWire(outcome, fault?.mode === 'badJson' ? '' : (api.headers['accept-encoding'] ?? ''));

  switch (fault?.mode) {
    case 'applyThenStatus':
      return finish(ordered(fault.status, fault.body, outcome.headers));
    case 'applyThenReset':
      response.socket?.resetAndDestroy();
      return;
    case 'applyThenPartial':
      return finish(wire, sendHalf);
    case 'hang':
      return;
    case 'trickle':
      return finish(wire, (to, given) => trickle(to, given, fault.everyMs ?? DEFAULT_TRICKLE_MS));
    case 'badJson':
      return finish(withBody(wire, wire.body.subarray(0, Math.floor(wire.body.length / 2))));
    case 'emptyBody':
      return finish(withBody(wire, Buffer.alloc(0)));
    default:
      return finish(wire);
  }
}

/** What is sent (or done) in place of everything else, or null. Refusals of a known route carry its Allow, as Plane's do (630). */
function answerInstead(fault: Mode | undefined, target: string): WireAnswer | 'reset' | null {
  switch (fault?.mode) {
    case 'resetBefore':
    case 'connRefused':
      return 'reset';
    case 'status': {
      const route = matchRoute(target.split('?', 1).join(''))?.route;
      const allow: Record<string, string> = route === undefined ? {} : { allow: Object.keys(route.methods).join(', ') };
      return ordered(fault.status, fault.body, { ...allow, ...fault.headers });
    }
    case 'html200':
      return ordered(200, WEB_APP_PAGE, {});
    case 'redirect':
      return ordered(302, '', { location: fault.location ?? 'https://login.example.test/' });
    default:
      return null;
  }
}

async function pause(
  { faults }: ServeDeps,
  fault: Mode | undefined,
  phase: Phase,
  held: { method: string; path: string; phase: Phase },
): Promise<void> {
  if (fault?.mode === 'slow' && (fault.phase ?? 'before') === phase) await delay(fault.ms, undefined, { ref: false });
  if (fault?.mode === 'hold' && fault.phase === phase) await faults.hold(held);
}

const withBody = (wire: WireAnswer, body: Buffer): WireAnswer => ({
  ...wire,
  headers: { ...wire.headers, 'content-length': String(body.length) },
  body,
});

function apiRequest(request: IncomingMessage, raw: string): ApiRequest {
  const [path = '/', search = ''] = (request.url ?? '/').split('?');
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
  return { method: request.method ?? 'GET', path: decodeURI(path), query: new URLSearchParams(search), headers, raw };
}
