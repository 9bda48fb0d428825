/** Longest wait for a condition, ms. It only ends a test that would hang: no condition should take this long. */
export const PATIENCE_MS = 300_000;

/** Of a client of Plane: they end no call that a test holds. */
export const PATIENT_TIMEOUTS = {
  connectMs: PATIENCE_MS,
  headersMs: PATIENCE_MS,
  bodyMs: PATIENCE_MS,
  callMs: PATIENCE_MS,
};

/** Limit of a test or hook, ms: long enough for several waits, so that the one that fails reports first. */
export const TEST_MS = 3 * PATIENCE_MS;
