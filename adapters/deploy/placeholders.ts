import { fillPlaceholders, type PlaceholderValues } from '../placeholders.ts';
import type { DeployOperation, JsonTemplate } from './driver.ts';

export const valuesOf = ({
  version,
  workItem,
  operationId,
  repo,
  previousVersion,
}: DeployOperation): PlaceholderValues => ({
  version,
  workItem,
  operationId,
  repo,
  previousVersion: previousVersion ?? null,
});

/** The environment variables that hold the same values. */
const VARIABLES: Readonly<Record<string, string>> = {
  version: 'D2D_VERSION',
  workItem: 'D2D_WORK_ITEM',
  operationId: 'D2D_OPERATION_ID',
  repo: 'D2D_REPO',
  previousVersion: 'D2D_PREVIOUS_VERSION',
};

/** The first placeholder in a text, and the environment variable that holds its value; `null`: there is none. */
export function placeholderIn(text: string): { readonly placeholder: string; readonly variable: string } | null {
  for (const [placeholder, name = ''] of text.matchAll(/\{(\w+)\}/g)) {
    const variable = Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined;
    if (variable !== undefined) return { placeholder, variable };
  }
  return null;
}

/** Fills the texts of a JSON template, its keys excepted. Never throws. */
export function fillJson(
  template: JsonTemplate,
  values: PlaceholderValues,
): { readonly json: JsonTemplate; readonly fault?: never } | { readonly fault: string; readonly json?: never } {
  let fault: string | undefined;
  const fill = (part: JsonTemplate): JsonTemplate => {
    if (typeof part === 'string') {
      const filled = fillPlaceholders(part, values);
      fault ??= filled.fault;
      return filled.text ?? '';
    }
    if (typeof part !== 'object' || part === null) return part;
    if (Array.isArray(part)) return part.map(fill);
    return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, fill(value)]));
  };
  const json = fill(template);
  return fault === undefined ? { json } : { fault };
}

/**
 * The arguments of a command, each filled in by itself: no value is ever split into two. A value at the beginning of an
 * argument that looks like an option is a fault: whoever names a version shall not give options to the deploy.
 */
export function fillArguments(
  command: readonly string[],
  values: PlaceholderValues,
): { readonly args: readonly string[]; readonly fault?: never } | { readonly fault: string; readonly args?: never } {
  const args: string[] = [];
  for (const template of command) {
    const { text, fault } = fillPlaceholders(template, values);
    if (text === undefined) return { fault: `the argument ${template} cannot be filled in: ${fault}` };
    if (text.includes('\0')) return { fault: `the argument ${template} became text with a NUL character` };
    if (text.startsWith('-') && !template.startsWith('-')) {
      return { fault: `the argument ${template} became ${text.slice(0, 80)}, which looks like an option: refused` };
    }
    args.push(text);
  }
  return { args };
}
