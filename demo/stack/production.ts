import { type ProductionControl, productionControl } from '../production/control.ts';
import { program } from '../program.ts';
import { freePort } from '../servers/port.ts';
import { startLoggedProcess } from './logged-process.ts';
import { waitFor } from './wait.ts';

export interface Production extends ProductionControl {
  /** What its customers see. */
  readonly serviceUrl: string;
  readonly controlUrl: string;
  stop(): Promise<void>;
}

/** Two Node processes, one after the other, on a busy machine. */
const READY_MS = 30_000;

/** Starts production as a process of its own, running v1. @throws where it does not come up. */
export async function startProduction(logFile: string, signal: AbortSignal): Promise<Production> {
  const port = await freePort('Production', undefined);
  const controlPort = await freePort("Production's control", undefined);
  const { PATH = '' } = process.env;
  const host = await startLoggedProcess({
    name: 'Production',
    args: [...program('demo/production/host'), String(port), String(controlPort), 'v1'],
    env: { PATH },
    logFile,
    stopMs: 5_000,
  });
  const controlUrl = `http://127.0.0.1:${controlPort}`;
  const control = productionControl(controlUrl);
  try {
    await waitFor(
      async () => {
        if (!host.running()) throw new Error(`production has ended while starting: see ${logFile}`);
        return control.state().catch(() => null); // it does not listen yet
      },
      { until: 'until production answers', withinMs: READY_MS, signal },
    );
  } catch (error) {
    await host.kill();
    throw error;
  }
  return { ...control, serviceUrl: `http://127.0.0.1:${port}`, controlUrl, stop: host.stop };
}
