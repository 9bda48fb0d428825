// The deploy command of the system tests: `node switch-version.mjs deploy|rollback <URL of the service's switch>`.
// Plain JavaScript: the worker starts it as it starts any program, and Node 20 reads no types.
const [kind, url] = process.argv.slice(2);
const { D2D_OPERATION_ID: operationId, D2D_VERSION: version } = process.env;

const response = await fetch(url, { method: 'POST', body: JSON.stringify({ kind, operationId, version }) });
console.log(`${kind} ${operationId}: ${await response.text()}`);
process.exitCode = response.ok ? 0 : 1;
