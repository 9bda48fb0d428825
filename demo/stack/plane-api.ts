import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { planeEndpoint } from '../../adapters/plane/urls.ts';
import type { RealPlane } from './real-tracker.ts';

/** The requests to a real Plane that only a demo makes. Each throws what Plane says, without the key. */
export interface PlaneApi {
  createState(state: { readonly name: string; readonly group: string; readonly color: string }): Promise<void>;
  createWorkItem(name: string): Promise<{ readonly id: string; readonly number: number }>;
  stateName(id: string): Promise<string>;
  setState(id: string, stateId: string): Promise<void>;
  activities(id: string): Promise<readonly unknown[]>;
  comments(id: string): Promise<readonly { readonly externalId: string }[]>;
}

const Created = z.object({ id: z.string(), sequence_id: z.number() });
const Expanded = z.object({ state: z.object({ name: z.string() }) });
const Comment = z.object({ external_id: z.string().nullable() });
const Page = z.object({ results: z.array(z.unknown()), next_cursor: z.string(), next_page_results: z.boolean() });

/** One request, ms. */
const TIMEOUT_MS = 15_000;
/** Plane takes 60 requests a minute from one key, and the worker uses the same: a demo waits for its turn so long, ms. */
const TURN_MS = 150_000;

export function planeApi({ url, apiKey, workspace }: RealPlane, projectId: string): PlaneApi {
  const endpoint = planeEndpoint(url);
  const project = ['workspaces', workspace, 'projects', projectId];

  async function ask(
    method: 'GET' | 'POST' | 'PATCH',
    path: string,
    body?: object,
    goodToo?: number,
  ): Promise<unknown> {
    for (const deadline = Date.now() + TURN_MS; ; ) {
      const response = await fetch(new URL(path, endpoint.origin), {
        method,
        redirect: 'manual',
        headers: { accept: 'application/json', 'content-type': 'application/json', 'x-api-key': apiKey },
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.ok || response.status === goodToo) return JSON.parse(text);
      if (response.status !== 429 || Date.now() > deadline)
        throw new Error(
          `Plane answered ${response.status} to ${method} ${path.split('?', 1)[0]}: ${text.slice(0, 200)}`,
        );
      await delay(1_000 * Math.min(60, Number(response.headers.get('retry-after') ?? 5)));
    }
  }

  async function list(segments: readonly string[]): Promise<unknown[]> {
    const results: unknown[] = [];
    let cursor = '100:0:0';
    for (;;) {
      const page = Page.parse(await ask('GET', endpoint.path([...project, ...segments], { per_page: '100', cursor })));
      results.push(...page.results);
      if (!page.next_page_results) return results;
      cursor = page.next_cursor;
    }
  }

  return {
    async createState(state) {
      await ask('POST', endpoint.path([...project, 'states']), state, 409); // made by somebody else meanwhile
    },
    async createWorkItem(name) {
      const { id, sequence_id } = Created.parse(await ask('POST', endpoint.path([...project, 'work-items']), { name }));
      return { id, number: sequence_id };
    },
    async setState(id, state) {
      await ask('PATCH', endpoint.path([...project, 'work-items', id]), { state });
    },
    async stateName(id) {
      const path = endpoint.path([...project, 'work-items', id], { expand: 'state', fields: 'id,state' });
      return Expanded.parse(await ask('GET', path)).state.name;
    },
    activities: (id) => list(['work-items', id, 'activities']),
    comments: async (id) =>
      (await list(['work-items', id, 'comments'])).map((row) => ({ externalId: Comment.parse(row).external_id ?? '' })),
  };
}
