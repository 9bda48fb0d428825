export type Filled =
  | { readonly text: string; readonly fault?: never }
  | { readonly text?: never; readonly fault: string };

/** What stands for a placeholder; `null`: nothing is known. */
export type PlaceholderValues = Readonly<Record<string, string | null>>;

const WHY_NOT: Readonly<Record<string, string>> = {
  version: 'the start named no version: start with one',
  previousVersion: 'no earlier version of this repository is known',
  id: 'the answer to the POST has none where `answer.id` points',
};

class LeadsElsewhere extends Error {
  override readonly message = 'would lead to another place';
}

/** A value as a part of a URL. @throws where it cannot be one: `..` leads to the folder above, in whatever encoding. */
export function inUrl(value: string): string {
  if (value === '.' || value === '..') throw new LeadsElsewhere();
  return encodeURIComponent(value);
}

/**
 * Puts values in the place of `{version}`, `{workItem}`, `{operationId}`, `{repo}` and `{previousVersion}`; other braces stay.
 * A value that is not known is a fault: an empty one would deploy something else. Never throws.
 */
export function fillPlaceholders(
  template: string,
  values: PlaceholderValues,
  encode: (value: string) => string = (value) => value,
): Filled {
  let fault: string | undefined;
  const text = template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    if (!Object.hasOwn(values, name)) return whole;
    const value = values[name] ?? '';
    if (value === '') fault ??= `it needs {${name}}, but ${WHY_NOT[name] ?? 'it is not known'}`;
    try {
      return encode(value);
    } catch (error) {
      const why = error instanceof LeadsElsewhere ? error.message : 'is not valid Unicode text';
      fault ??= `it needs {${name}}, whose value ${why}: it cannot stand there`;
      return '';
    }
  });
  return fault === undefined ? { text } : { fault };
}
