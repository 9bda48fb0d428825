import { fillPlaceholders, inUrl, type PlaceholderValues } from '../placeholders.ts';
import type { HttpProbeConfig } from './http-probe.ts';

const NAMES_VERSION = '{version}';

/** Where a probe proves the version, so that it cannot be made without one; `null`: nowhere. */
export function needsVersion({
  url,
  headers,
  expectJson,
}: Pick<HttpProbeConfig, 'url' | 'headers' | 'expectJson'>): string | null {
  if (url.includes(NAMES_VERSION)) return 'health.url';
  if (Object.values(headers).some((value) => value.includes(NAMES_VERSION))) return 'health.headers';
  return Object.values(expectJson).some(provesVersion) ? 'health.expectJson' : null;
}

const provesVersion = (value: unknown): boolean => typeof value === 'string' && value.includes(NAMES_VERSION);

/**
 * A probe with `{version}` and `{workItem}` filled in, so that an old instance that still answers does not pass.
 * @param proof `false`: what is expected of the version is left out, such as after a rollback.
 * @returns `fault`: why it cannot be made, as part of a sentence.
 */
export function fillProbe(
  probe: HttpProbeConfig,
  values: PlaceholderValues,
  proof: boolean,
): { readonly probe: HttpProbeConfig; readonly fault?: never } | { readonly fault: string; readonly probe?: never } {
  const faults: string[] = [];
  const fill = (template: string, encode?: (value: string) => string): string => {
    const { text, fault } = fillPlaceholders(template, values, encode);
    if (text === undefined) faults.push(fault);
    return text ?? '';
  };
  const expected = (template: string) => {
    const text = fill(template);
    return text === template ? template : { written: text };
  };
  const filled = {
    ...probe,
    url: fill(probe.url, inUrl),
    headers: Object.fromEntries(Object.entries(probe.headers).map(([name, value]) => [name, fill(value)])),
    expectJson: Object.fromEntries(
      Object.entries(probe.expectJson)
        .filter(([, value]) => proof || !provesVersion(value))
        .map(([place, value]) => [place, typeof value === 'string' ? expected(value) : value]),
    ),
  };
  const [fault] = faults;
  return fault === undefined ? { probe: filled } : { fault };
}
