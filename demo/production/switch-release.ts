/**
 * The script by which a worker deploys to production, or rolls back: `node switch-release.js deploy|rollback <control URL>`.
 * The operation and the version come from the environment that the `command` driver gives its programs.
 */
import { productionControl } from './control.ts';

const [kind, url = ''] = process.argv.slice(2);
const { D2D_OPERATION_ID: operationId = '', D2D_VERSION: version = '' } = process.env;

try {
  const production = productionControl(url);
  const before = await production.state();
  console.log(`${kind}: production runs ${before.version}`);
  const after = kind === 'rollback' ? await production.rollback(operationId) : await deploy();
  console.log(`${kind}: production runs ${after.version}, process ${after.pid}`);

  async function deploy() {
    if (version === '') throw new Error('D2D_VERSION is not set: start the deploy with a version');
    return production.deploy(version, operationId);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
