/** Longest wait for a condition, ms. It only ends a test that would hang: no condition should take this long. */
export const PATIENCE_MS = 300_000;

/** Limit of a test or hook, ms. Longer than `PATIENCE_MS`, so that the failed wait reports first. */
export const TEST_MS = PATIENCE_MS + 60_000;
