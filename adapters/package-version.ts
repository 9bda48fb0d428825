import { readFileSync } from 'node:fs';

/** Version of this package, one folder up from the sources of this file, two from what is built. */
export function packageVersion(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const { version }: { version?: unknown } = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8'));
      if (typeof version === 'string') return version;
    } catch {
      // the other place
    }
  }
  return 'unknown';
}
