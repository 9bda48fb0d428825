import { type DeployPhaseStatus, MAX_TICKS, mostTicks } from '../decisions/index.ts';
import { repositoryFault } from '../decisions/repository-name.ts';
import { versionFault } from '../decisions/version.ts';
import { workItemFault } from '../decisions/work-item-name.ts';
import { beginning } from './bounded.ts';
import type {
  Command,
  DeployFinished,
  DeployInput,
  DeployResolution,
  DriverStuck,
  ReconcileInput,
  ReopenInput,
  SetDeployStatusInput,
} from './messages.ts';
import { shown } from './shown.ts';
import type { MonitorInput } from './window-state.ts';

// What arrives in a start, a signal or an update is anything at all: it is read here, once, before it means something.

/** A JSON object; bytes are none, though they are an object to JavaScript. */
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

/** Hundreds of texts are kept: a character may take several bytes. */
const TEXT_LENGTH = 500;
const TEXT_BYTES = 1_500;

/** A text that a person gave; `undefined` where there is none, `null` where it is no text. */
function text(payload: Record<string, unknown>, key: string): string | undefined | null {
  const value = payload[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') return null;
  const trimmed = beginning(value.trim().slice(0, TEXT_LENGTH), TEXT_BYTES);
  return trimmed === '' ? undefined : trimmed;
}

/** Whether a version or name that breaks its pattern is refused; asked only where one does. Runs of earlier versions took any text. */
type Strict = (text: string) => boolean;
const always: Strict = () => true;

const isName = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

/**
 * The names in a start, or a text that says why they are refused.
 * @param others the other fields of a start, as an example shows them
 */
function parseNames(
  payload: unknown,
  strict: Strict,
  others = '',
): { readonly repo: string; readonly workItem: string; readonly fields: Record<string, unknown> } | string {
  if (!isRecord(payload) || !isName(payload['repo']) || !isName(payload['workItem'])) {
    return `the start must name a repository and a work item, {"repo": "…", "workItem": "…"${others}}, got ${shown(payload)}`;
  }
  const { repo, workItem } = payload;
  const repositoryRefusal = repositoryFault(repo);
  if (repositoryRefusal !== null && strict(repo)) return repositoryRefusal;
  const workItemRefusal = workItemFault(workItem);
  if (workItemRefusal !== null && strict(workItem)) return workItemRefusal;
  return { repo, workItem, fields: payload };
}

/** Why a version is refused; `null`: it is none, or it is fine. */
function versionRefusal(version: string | undefined, strict: Strict): string | null {
  if (version === undefined) return null;
  const fault = versionFault(version);
  return fault !== null && strict(version) ? fault : null;
}

/**
 * The command in a signal; a missing `by` or `reason` reads `unknown`. A text in place of it says why the payload is
 * garbage, so that the signal can be ignored and shown.
 */
export function parseSignalCommand(payload: unknown): Command | string {
  if (payload === undefined || payload === null) return { by: 'unknown', reason: 'unknown' };
  if (!isRecord(payload)) return `its payload must be an object {by, reason}, got ${shown(payload)}`;
  const by = text(payload, 'by');
  const reason = text(payload, 'reason');
  if (by === null || reason === null) return `by and reason must be texts, got ${shown(payload)}`;
  return { by: by ?? 'unknown', reason: reason ?? 'unknown' };
}

/** The report of an external deployer in a signal, or a text that says why it is garbage. */
export function parseDeployFinished(payload: unknown, strict: Strict = always): DeployFinished | string {
  if (!isRecord(payload) || typeof payload['ok'] !== 'boolean') {
    return `its payload must be an object {ok: true | false, version?, detail?, by?}, got ${shown(payload)}`;
  }
  const version = text(payload, 'version');
  const operationId = text(payload, 'operationId');
  const detail = text(payload, 'detail');
  const by = text(payload, 'by');
  if (version === null || operationId === null || detail === null || by === null)
    return `version, operationId, detail and by must be texts, got ${shown(payload)}`;
  const refusal = versionRefusal(version, strict);
  if (refusal !== null) return refusal;
  return {
    ok: payload['ok'],
    ...(version === undefined ? {} : { version }),
    ...(operationId === undefined ? {} : { operationId }),
    ...(detail === undefined ? {} : { detail }),
    ...(by === undefined ? {} : { by }),
  };
}

/** What a driver calls a person for, or a text that says why it is garbage. */
export function parseDriverStuck(payload: unknown): DriverStuck | string {
  const words = isRecord(payload) ? text(payload, 'text') : null;
  const kind = isRecord(payload) ? payload['kind'] : null;
  return typeof words === 'string' && (kind === 'deploy' || kind === 'rollback')
    ? { kind, text: words }
    : `its payload must be an object {kind: "deploy" | "rollback", text}, got ${shown(payload)}`;
}

/** What a person says of an unknown deploy, or a text that says why it is garbage. */
export function parseResolution(payload: unknown, strict: Strict = always): DeployResolution | string {
  if (!isRecord(payload) || typeof payload['deployed'] !== 'boolean') {
    return `its payload must be an object {deployed: true | false, by, reason, version?}, got ${shown(payload)}`;
  }
  const command = parseSignalCommand(payload);
  if (typeof command === 'string') return command;
  const version = text(payload, 'version');
  if (version === null) return `version must be a text, got ${shown(payload)}`;
  const refusal = versionRefusal(version, strict);
  if (refusal !== null) return refusal;
  return { deployed: payload['deployed'], ...command, ...(version === undefined ? {} : { version }) };
}

/** The command in an update, or a text that says why it is refused: an update can answer, so it must say who and why. */
export function parseUpdateCommand(payload: unknown): Command | string {
  if (!isRecord(payload)) return `the payload must be an object {by, reason}, got ${shown(payload)}`;
  const by = text(payload, 'by');
  const reason = text(payload, 'reason');
  if (by === undefined || by === null) return 'by must be a text that says who asks';
  if (reason === undefined || reason === null) return 'reason must be a text that says why';
  return { by, reason };
}

/** The command of `extendWindow`, or a text that says why it is refused. */
export function parseExtension(payload: unknown): (Command & { readonly minutes: number }) | string {
  const command = parseUpdateCommand(payload);
  if (typeof command === 'string') return command;
  const minutes = isRecord(payload) ? payload['minutes'] : undefined;
  if (typeof minutes !== 'number' || !Number.isFinite(minutes) || minutes <= 0) {
    return `minutes must be a number greater than 0, got ${shown(minutes)}`;
  }
  return { ...command, minutes };
}

/** What a deploy is started with, or a text that says why it is refused. */
export function parseDeployInput(
  payload: unknown,
  strict: Strict = always,
  strictNames: Strict = always,
): DeployInput | string {
  const names = parseNames(payload, strictNames);
  if (typeof names === 'string') return names;
  const { repo, workItem, fields } = names;
  const { approval, createTask } = fields;
  const version = text(fields, 'version');
  const requestedBy = text(fields, 'requestedBy');
  if (version === null || requestedBy === null) return `version and requestedBy must be texts, got ${shown(payload)}`;
  const refusal = versionRefusal(version, strict);
  if (refusal !== null) return refusal;
  if (approval !== undefined && approval !== null && approval !== 'required' && approval !== 'none') {
    return `approval must be "required" or "none", got ${shown(approval)}`;
  }
  if (createTask !== undefined && createTask !== null && typeof createTask !== 'boolean') {
    return `createTask must be true or false, got ${shown(createTask)}`;
  }
  return {
    repo,
    workItem,
    ...(version === undefined ? {} : { version }),
    ...(requestedBy === undefined ? {} : { requestedBy }),
    ...(approval == null ? {} : { approval }),
    ...(createTask == null ? {} : { createTask }),
  };
}

export const isDeployPhaseStatus = (value: unknown): value is DeployPhaseStatus =>
  value === 'awaiting_deploy' || value === 'deploying' || value === 'monitoring';

/** What one status write is started with, or a text that says why it is refused. */
export function parseSetDeployStatus(payload: unknown, strict: Strict = always): SetDeployStatusInput | string {
  const names = parseNames(payload, strict, ', "status": "…", "caller": "…"');
  if (typeof names === 'string') return names;
  const { repo, workItem, fields } = names;
  const { status } = fields;
  if (!isDeployPhaseStatus(status)) {
    return `status must be "awaiting_deploy", "deploying" or "monitoring", got ${shown(status)}`;
  }
  const caller = text(fields, 'caller');
  const reason = text(fields, 'reason');
  if (caller === null || reason === null) return `caller and reason must be texts, got ${shown(payload)}`;
  return { repo, workItem, status, caller: caller ?? 'unknown', ...(reason === undefined ? {} : { reason }) };
}

/** What a task is reopened with, or a text that says why it is refused. */
export function parseReopen(payload: unknown, strict: Strict = always): ReopenInput | string {
  const names = parseNames(payload, strict, ', "by": "…", "reason": "…"');
  if (typeof names === 'string') return names;
  const { repo, workItem, fields } = names;
  const command = parseUpdateCommand(fields);
  return typeof command === 'string' ? command : { repo, workItem, ...command };
}

/** The longest time that makes sense in a policy, ms: the settings allow less. */
const MAX_MS = 30 * 24 * 3_600_000;

const TIMES = ['windowMs', 'intervalMs', 'confirmMs', 'maxWindowMs', 'rollbackWatchMs'] as const;

const isTime = (value: unknown): value is number => typeof value === 'number' && value >= 1 && value <= MAX_MS;

function isWindowPolicy(policy: unknown): boolean {
  if (!isRecord(policy) || !TIMES.every((name) => isTime(policy[name]))) return false;
  const [windowMs, intervalMs, confirmMs] = [policy['windowMs'], policy['intervalMs'], policy['confirmMs']].map(Number);
  return mostTicks({ windowMs: windowMs ?? 0, intervalMs: intervalMs ?? 0, confirmMs: confirmMs ?? 0 }) <= MAX_TICKS;
}

/** Whether a window can be run by its input. Deploys give it a whole one; by hand anything can be given. */
export const isMonitorInput = (payload: unknown): payload is MonitorInput =>
  isRecord(payload) &&
  isName(payload['repo']) &&
  isName(payload['workItem']) &&
  isWindowPolicy(payload['policy']) &&
  (payload['rollback'] === null || isRecord(payload['rollback']));

type Asked = Required<Omit<ReconcileInput, 'taskQueue'>> & { readonly taskQueue: string | null };

/** What a sweep is asked for; whatever is no such wish is none. */
export function parseReconcileInput(payload: unknown): Asked {
  const { dryRun, full, taskQueue }: Record<string, unknown> = isRecord(payload) ? payload : {};
  return { dryRun: dryRun === true, full: full === true, taskQueue: isName(taskQueue) ? taskQueue : null };
}
