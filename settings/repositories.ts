import { resolve } from 'node:path';
import { sameRepo } from '../decisions/index.ts';
import type { Described } from './repository-file.ts';
import type { DriverEntry, RepositoryEntry } from './repository-schema.ts';
import type { Values } from './schema.ts';
import type { DriverConfig, HttpProbeConfig, Repository } from './types.ts';
import { windowPolicy } from './window-policy.ts';

/** Times that hold where a description gives none, ms. */
export const DRIVER_TIMEOUT_MS = { command: 1_800_000, webhook: 1_800_000, external: 3_600_000 };
export const POLL_MS = 5_000;
export const HEALTH_DEADLINE_MS = 120_000;
/** As long as one request of a look may take: the look has 3 s in all. */
export const PROBE_TIMEOUT_MS = 2_000;

/** The self-hosting repository where no file describes it: deployed by others, and watched as the variables say. */
export const byItself = (name: string): Described => ({
  name,
  entry: { deploy: { driver: 'external' } },
  file: null,
  place: () => 'ORCH_SELF_HOSTING_REPO',
  written: () => null,
});

function driver(entry: DriverEntry, folder: string): DriverConfig {
  const timeoutMs = entry.timeoutSeconds ?? DRIVER_TIMEOUT_MS[entry.driver];
  switch (entry.driver) {
    case 'command': {
      const { command, cwd, env = {}, passEnv, idempotent = false } = entry;
      const absolute = cwd === undefined ? null : resolve(folder, cwd);
      return {
        driver: 'command',
        command,
        cwd: absolute,
        env,
        ...(passEnv === undefined ? {} : { passEnv }),
        timeoutMs,
        idempotent,
      };
    }
    case 'webhook': {
      const { url, headers = {}, body, statusUrl = null, answer, pollSeconds: pollMs = POLL_MS } = entry;
      return {
        driver: 'webhook',
        url,
        headers,
        ...(body === undefined ? {} : { body }),
        statusUrl,
        ...(answer === undefined ? {} : { answer }),
        pollMs,
        timeoutMs,
        idempotent: entry.idempotent ?? false,
      };
    }
    case 'external':
      return { driver: 'external', timeoutMs };
    default:
      return entry satisfies never;
  }
}

function healthProbe({ health }: RepositoryEntry, otherwise: string | null): HttpProbeConfig | null {
  const url = health?.url ?? otherwise;
  if (url === null) return null;
  return {
    url,
    expectStatus: health?.expectStatus ?? [],
    expectJson: health?.expectJson ?? {},
    timeoutMs: health?.timeoutSeconds ?? PROBE_TIMEOUT_MS,
    headers: health?.headers ?? {},
  };
}

/** A repository as it is described, joined with what all repositories share. Both have been found without fault. */
export function repository(described: Described, values: Values): Repository {
  const { name, entry, file } = described;
  const selfHosting = sameRepo(values.ORCH_SELF_HOSTING_REPO, name);
  const folder = file === null ? '.' : resolve(file, '..');
  const health = healthProbe(entry, selfHosting ? values.ORCH_POST_DEPLOY_HEALTH_URL : null);
  return {
    name,
    selfHosting,
    planeProject: entry.plane?.project ?? values.ORCH_PLANE_PROJECT,
    deploy: driver(entry.deploy, folder),
    rollback: entry.rollback === undefined ? null : driver(entry.rollback, folder),
    healthCheck: health && {
      probe: health,
      deadlineMs: entry.healthCheck?.deadlineSeconds ?? HEALTH_DEADLINE_MS,
      passes: entry.healthCheck?.passes ?? 1,
    },
    probe: {
      health,
      traffic: entry.traffic ?? (selfHosting ? values.ORCH_POST_DEPLOY_TRAFFIC_URLS : []),
      requireVersion: entry.window?.requireVersion ?? false,
    },
    window: windowPolicy(values, described, selfHosting),
    approval: {
      required: (entry.approval ?? values.ORCH_APPROVAL) === 'required',
      timeoutMs: entry.approvalTimeoutSeconds ?? values.ORCH_APPROVAL_TIMEOUT_SECONDS,
    },
  };
}
