import type { Summary } from '../display/summary.ts';
import type { ScenarioName } from '../options.ts';
import type { Stack } from '../stack/stack.ts';
import { cancel } from './cancel.ts';
import { crash } from './crash.ts';
import { flap } from './flap.ts';
import { green } from './green.ts';
import { red } from './red.ts';

export const RUN: Readonly<Record<ScenarioName, (stack: Stack) => Promise<Summary>>> = {
  green,
  red,
  flap,
  cancel,
  crash,
};
