export const SCENARIOS = ['green', 'red', 'flap', 'cancel', 'crash'] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

export interface DemoOptions {
  readonly scenario: ScenarioName;
  /** `compressed`: a whole window in seconds. `real`: 15 minutes, every 30 s, and the settings' own defaults. */
  readonly time: 'compressed' | 'real';
  /** What a degradation leads to. */
  readonly action: 'alert' | 'rollback';
  readonly guard: 'on' | 'off';
  /** Whether Plane tells the worker of changes; else a sweep finds them. */
  readonly webhooks: 'on' | 'off';
  /** `stop`: everything ends with the scenario. `keep`: it stays up until Ctrl-C. */
  readonly afterwards: 'stop' | 'keep';
  readonly output: 'people' | 'json';
}
