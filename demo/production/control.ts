import { z } from 'zod';
import { ProductionState } from './state.ts';

/** What can be asked of production; each answers with its state afterwards, and throws what production says. */
export interface ProductionControl {
  state(): Promise<ProductionState>;
  /** Resolves when the new release serves. */
  deploy(version: string, operationId: string): Promise<ProductionState>;
  rollback(operationId: string): Promise<ProductionState>;
  degrade(): Promise<ProductionState>;
  holdNextHealth(): Promise<ProductionState>;
  holdRollbacks(): Promise<ProductionState>;
  releaseRollbacks(): Promise<ProductionState>;
}

const Refusal = z.object({ error: z.string() });

export function productionControl(url: string): ProductionControl {
  async function ask(name: string, init?: RequestInit): Promise<ProductionState> {
    const response = await fetch(new URL(`/${name}`, url), init);
    const answer: unknown = await response.json();
    if (response.ok) return ProductionState.parse(answer);
    throw new Error(`production: ${Refusal.parse(answer).error}`);
  }
  const tell = (name: string, body: object = {}): Promise<ProductionState> =>
    ask(name, { method: 'POST', body: JSON.stringify(body) });
  return {
    state: () => ask('state'),
    deploy: (version, operationId) => tell('deploy', { version, operationId }),
    rollback: (operationId) => tell('rollback', { operationId }),
    degrade: () => tell('degrade'),
    holdNextHealth: () => tell('hold-next-health'),
    holdRollbacks: () => tell('hold-rollbacks'),
    releaseRollbacks: () => tell('release-rollbacks'),
  };
}
