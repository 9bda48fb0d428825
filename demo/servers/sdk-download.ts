import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { madeOnce } from './cache-folder.ts';
import { executable, runTool } from './run-tool.ts';

/** Which server of the SDK: the dev server (the `temporal` command line) or the time-skipping test server. */
export type SdkServer = 'createLocal' | 'createTimeSkipping';

/** A download that has not grown for this long is given up, ms: an unreachable network can hang instead of failing. */
const STALLED_MS = 6_000;

/** Whole time of a download, ms: some 100 MB. */
const WHOLE_MS = 5 * 60_000;

/** The SDK's own start, which downloads where nothing is cached; in a process of its own, as it cannot be called off. */
const DOWNLOAD = `
const { TestWorkflowEnvironment } = require(process.argv[1]);
TestWorkflowEnvironment[process.argv[2]]({ server: { executable: { type: 'cached-download', downloadDir: process.argv[3] } } })
  .then((server) => server.teardown())
  .then(() => process.exit(0), (error) => { console.error(String(error)); process.exit(1); });
`;

/**
 * Lets the SDK download one of its servers into the cache, once.
 * @returns its path, or null where this machine cannot reach the download: the caller has another way.
 */
export async function sdkDownload(
  server: SdkServer,
  folder: string,
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<string | null> {
  const sdk = createRequire(import.meta.url).resolve('@temporalio/testing');
  const made = madeOnce(folder, `sdk-${server}`, async (into) => {
    const args = ['-e', DOWNLOAD, sdk, server, into];
    await runTool({ file: process.execPath, args, env, withinMs: WHOLE_MS, goOn: growing(into), signal });
  });
  const path = await made.then(executableIn, () => null); // no network: the caller says so
  signal?.throwIfAborted();
  return path;
}

/** The one executable of an earlier download; null where there was none. Never throws. */
export const sdkDownloaded = (server: SdkServer, folder: string): Promise<string | null> =>
  executableIn(join(folder, `sdk-${server}`));

async function executableIn(folder: string): Promise<string | null> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (await executable(join(folder, name))) return join(folder, name);
  }
  return null;
}

function growing(folder: string): () => Promise<boolean> {
  let last = { bytes: -1, at: Date.now() };
  return async () => {
    let bytes = 0;
    for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size;
    if (bytes !== last.bytes) last = { bytes, at: Date.now() };
    return Date.now() - last.at < STALLED_MS;
  };
}
