import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { bundleOptions } from '../../adapters/temporal/workflow-source.ts';

/** Bundles workflows from their sources (1.5 s); the project's own once a run. @returns the path of a temporary file. */
export async function bundleWorkflows(workflowsPath?: string): Promise<string> {
  const { code } = await bundleWorkflowCode({ ...bundleOptions(workflowsPath), logger: SILENT });
  const path = join(await mkdtemp(join(tmpdir(), 'd2d-workflows-')), 'workflow-bundle.js');
  await writeFile(path, code);
  return path;
}

const silence = (): void => {};
const SILENT = { log: silence, trace: silence, debug: silence, info: silence, warn: silence, error: silence };
