import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BundleOptions, WorkerOptions } from '@temporalio/worker';

/** `.js` where this runs compiled, `.ts` where it runs from its sources. */
const EXTENSION = extname(import.meta.url);

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const workflowInterceptorModules = [at(`workflows/ui-details${EXTENSION}`)];

/** What the bundler is given; whoever bundles workflows elsewhere must give it the same converter and interceptors. */
export const bundleOptions = (workflowsPath = at(`workflows/index${EXTENSION}`)): BundleOptions => ({
  workflowsPath,
  workflowInterceptorModules,
  payloadConverterPath: at(`workflows/payload-converter${EXTENSION}`),
});

/** For a worker or a replay: the converter that its bundle was made with. */
export const dataConverter = () => ({ payloadConverterPath: at(`workflows/payload-converter${EXTENSION}`) });

export type WorkflowSource = Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath' | 'interceptors' | 'dataConverter'>;

/** Where the worker's workflows come from: the bundle that the build has made, or else the sources, bundled at its start. */
export function workflowSource(): WorkflowSource {
  const codePath = at('workflow-bundle.js');
  if (existsSync(codePath)) return { workflowBundle: { codePath }, dataConverter: dataConverter() };
  const { workflowsPath } = bundleOptions();
  return {
    workflowsPath,
    interceptors: { workflowModules: workflowInterceptorModules },
    dataConverter: dataConverter(),
  };
}
