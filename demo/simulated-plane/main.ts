/**
 * The simulated Plane as a process of its own: prints one JSON line with its URL, key and workspace, and ends on SIGTERM or SIGINT.
 *
 *   node dist/demo/simulated-plane/main.js [--port <number>] [--state <file>]
 *
 * `--state` keeps everything in a file between two runs: read at the start if it is there, written at the end.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import writeFileAtomic from 'write-file-atomic';
import type { Tables } from './model.ts';
import { type SimulatedPlaneOptions, startSimulatedPlane } from './simulated-plane.ts';

const { values } = parseArgs({ options: { port: { type: 'string', default: '0' }, state: { type: 'string' } } });

async function earlier(file: string): Promise<Pick<SimulatedPlaneOptions, 'seed'>> {
  try {
    const tables: Tables = JSON.parse(await readFile(file, 'utf8'));
    return { seed: { tables } };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}

const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65535) {
  console.error(`--port must be a whole number within 0..65535, got ${JSON.stringify(values.port)}`);
  process.exit(2);
}
const plane = await startSimulatedPlane({ port, ...(values.state === undefined ? {} : await earlier(values.state)) });
console.log(JSON.stringify({ url: plane.url, apiKey: plane.apiKey, workspace: plane.workspace }));

async function end(): Promise<void> {
  if (values.state !== undefined) await writeFileAtomic(values.state, JSON.stringify(plane.snapshot()));
  await plane.close();
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    end().catch((error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    });
  });
}
