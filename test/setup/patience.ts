/**
 * Longest wait for anything that has to happen by itself, ms. It ends a test that would hang, and decides none: where the suite is
 * of any use, nothing takes as long.
 */
export const PATIENCE_MS = 300_000;

/** What a whole test or hook may take, ms: a wait in it ends first, and says what it waited for. */
export const TEST_MS = PATIENCE_MS + 60_000;
