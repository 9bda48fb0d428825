/**
 * What of the heartbeat time-out of a deploy or rollback remains when its worker ends it, ms: time for SIGTERM, SIGKILL and a
 * clock that runs a little slower than the server's.
 */
export const FENCE_MARGIN_MS = 20_000;

/** The limits of a driver, by the plan of its run. */
export interface DriverLimits {
  readonly timeoutMs: number;
  /** How long it goes on while its worker cannot reach Temporal; absent: from an earlier version, in which nothing was promised. */
  readonly outageMs?: number;
}

/** Time-outs of the activity that runs a driver: it outlives an outage of Temporal, and ends before another worker may have it. */
export const driverTimeouts = ({ timeoutMs, outageMs }: DriverLimits) =>
  outageMs === undefined
    ? { startToCloseTimeout: timeoutMs + 60_000, heartbeatTimeout: 10_000 }
    : { startToCloseTimeout: timeoutMs + 60_000 + outageMs, heartbeatTimeout: outageMs + FENCE_MARGIN_MS };
