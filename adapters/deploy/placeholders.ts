import type { DeployOperation } from './driver.ts';

export type Filled =
  | { readonly text: string; readonly fault?: never }
  | { readonly text?: never; readonly fault: string };

const PLACEHOLDER = /\{(version|workItem|operationId|repo)\}/g;

/**
 * Puts the operation's values in the place of `{version}`, `{workItem}`, `{operationId}` and `{repo}`; other braces stay.
 * A version that the start did not name is a fault: an empty one would deploy something else. Never throws.
 */
export function fillPlaceholders(
  template: string,
  operation: DeployOperation,
  encode: (value: string) => string = (value) => value,
): Filled {
  const values = { ...operation, version: operation.version ?? '' };
  if (values.version === '' && template.includes('{version}')) {
    return { fault: `it needs {version}, but the start named no version: start with one` };
  }
  return {
    text: template.replace(PLACEHOLDER, (_, name: 'version' | 'workItem' | 'operationId' | 'repo') =>
      encode(values[name]),
    ),
  };
}

/**
 * The arguments of a command, each filled in by itself: no value is ever split into two. A value at the beginning of an
 * argument that looks like an option is a fault: whoever names a version shall not give options to the deploy.
 */
export function fillArguments(
  command: readonly string[],
  operation: DeployOperation,
): { readonly args: readonly string[]; readonly fault?: never } | { readonly fault: string; readonly args?: never } {
  const args: string[] = [];
  for (const template of command) {
    const { text, fault } = fillPlaceholders(template, operation);
    if (text === undefined) return { fault: `the argument ${template} cannot be filled in: ${fault}` };
    if (text.includes('\0')) return { fault: `the argument ${template} became text with a NUL character` };
    if (text.startsWith('-') && !template.startsWith('-')) {
      return { fault: `the argument ${template} became ${text.slice(0, 80)}, which looks like an option: refused` };
    }
    args.push(text);
  }
  return { args };
}
