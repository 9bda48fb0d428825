/**
 * `npm run screenshots -- <URL of a running window in the Temporal UI>`: makes the pictures of the README anew. A window that some
 * looks have been made in shows most: `npm run demo -- green --real-time --keep`, then some three minutes.
 *
 * Chromium is the one at `CHROMIUM`, else `chromium` of the `PATH`.
 */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { chromium } from 'playwright-core';

const docs = (name: string): string => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));

const [window] = process.argv.slice(2);
if (window === undefined) {
  process.stderr.write('Usage: npm run screenshots -- <URL of a running window in the Temporal UI>\n');
  process.exit(2);
}
const executablePath = process.env['CHROMIUM'] ?? (await execa('which', ['chromium'])).stdout;
const browser = await chromium.launch({ executablePath });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, timezoneId: 'UTC' });
  await page.goto(`${window}/user-metadata`);
  await page.frameLocator('iframe[src*="so%20far"]').getByText('so far').waitFor();
  await page.screenshot({ path: docs('ui-window-details.png') });

  await page.goto(`${window}/history`);
  const timeline = page.getByText('Event History').first();
  await timeline.waitFor();
  await page.getByText('tick 1 of').first().waitFor();
  await timeline.evaluate((heading) => heading.scrollIntoView());
  await page.screenshot({ path: docs('ui-window-history.png') });
} finally {
  await browser.close();
}
