import type { Client, Connection } from '@temporalio/client';

/** What a client has asked Temporal for. */
export interface Asked {
  /** By the name of the call. */
  readonly calls: Record<string, number>;
  /** Executions that listings have answered with. */
  listed: number;
}

type Service = Client['workflowService'];

/** The same connection, of whose calls a record is kept. */
export function countedConnection(connection: Connection): { readonly connection: Connection; readonly asked: Asked } {
  const asked: Asked = { calls: {}, listed: 0 };
  const workflowService: Service = new Proxy(connection.workflowService, {
    get(service, name) {
      const call: unknown = Reflect.get(service, name);
      if (typeof call !== 'function') return call;
      return async (...given: unknown[]) => {
        asked.calls[String(name)] = (asked.calls[String(name)] ?? 0) + 1;
        const answer = await Reflect.apply(call, service, given);
        if (name === 'listWorkflowExecutions') asked.listed += answer.executions.length;
        return answer;
      };
    },
  });
  const counted = new Proxy(connection, {
    get(target, name) {
      if (name === 'workflowService') return workflowService;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { connection: counted, asked };
}
