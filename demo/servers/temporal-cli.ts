import { join } from 'node:path';
import { cacheFolder, madeOnce } from './cache-folder.ts';
import { executable, onPath, runTool } from './run-tool.ts';
import { sdkDownload, sdkDownloaded } from './sdk-download.ts';

/** The version that builds from the Go module proxy alone (v1.9.1 does not); it brings server 1.29.1 and its UI. */
const CLI_VERSION = '1.5.1';

/** A build takes about 5 minutes on 2 cores; a slow network comes on top. */
const BUILD_MS = 20 * 60_000;

export interface Provisioning {
  /** PATH, HOME, XDG_CACHE_HOME and ORCH_TEMPORAL_CLI are looked at; the tools that are run inherit all of it. */
  readonly env: NodeJS.ProcessEnv;
  /** Told what is being downloaded or built, and how long that takes. */
  readonly say: (line: string) => void;
  /** Ends what is being downloaded or built. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The path of a `temporal` command line, in this order: `ORCH_TEMPORAL_CLI`, `temporal` on the PATH, the cache, the SDK's own
 * download, a build with Go into the cache.
 * @throws with the three ways to provide one, where none of them works; where it is ended.
 */
export async function provideTemporalCli({ env, say, signal }: Provisioning): Promise<string> {
  const { ORCH_TEMPORAL_CLI: named } = env;
  if (named !== undefined && named !== '') {
    if (await executable(named)) return named;
    throw new Error(`ORCH_TEMPORAL_CLI must be the path of an executable, got "${named}": correct it or unset it`);
  }
  const folder = cacheFolder(env);
  const built = join(folder, `temporal-${CLI_VERSION}`, 'temporal');
  const ready = (await onPath('temporal', env)) ?? (await sdkDownloaded('createLocal', folder));
  if (ready !== null) return ready;
  if (await executable(built)) return built;

  say('Temporal dev server: asking the Temporal SDK to download it (about 100 MB, once)');
  const downloaded = await sdkDownload('createLocal', folder, env, signal);
  if (downloaded !== null) return downloaded;

  const go = await onPath('go', env);
  if (go === null) throw new Error(NO_TEMPORAL);
  say(
    `Temporal dev server: no download from here; building version ${CLI_VERSION} with Go, once (about 5 minutes on 2 cores)`,
  );
  const started = Date.now();
  await madeOnce(folder, `temporal-${CLI_VERSION}`, (into) =>
    runTool({
      file: go,
      args: ['install', '-ldflags', '-s -w', `github.com/temporalio/cli/cmd/temporal@v${CLI_VERSION}`],
      env: { ...env, CGO_ENABLED: '0', GOBIN: into },
      withinMs: BUILD_MS,
      signal,
    }),
  );
  say(`Temporal dev server: built in ${Math.round((Date.now() - started) / 1000)} s`);
  return built;
}

const NO_TEMPORAL = [
  'No Temporal dev server on this machine, and none could be downloaded. One of these is needed:',
  '  1. the temporal command line on the PATH, or its path in ORCH_TEMPORAL_CLI (https://docs.temporal.io/cli);',
  '  2. a network that lets the Temporal SDK download it;',
  '  3. Go on the PATH: it is then built once from the Go module proxy (about 5 minutes).',
].join('\n');
