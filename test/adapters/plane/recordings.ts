/** The recorded exchanges with a real Plane CE 1.3.1, in their order. See recordings/README.md. */
import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const FOLDER = new URL('./recordings/', import.meta.url);

const Exchange = z.object({
  name: z.string(),
  recorded_at: z.string(),
  request: z.object({
    method: z.string(),
    path: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.unknown(),
    /** Sent in place of `body`, as it stands. */
    body_raw: z.string().optional(),
  }),
  response: z.object({ status: z.number(), headers: z.record(z.string(), z.string()), body: z.unknown() }),
});
export type Exchange = z.infer<typeof Exchange>;

export interface Recording {
  /** The file's name without `.json`. */
  readonly name: string;
  /** null where the file is a summary of many exchanges, or of webhook deliveries. */
  readonly exchange: Exchange | null;
  readonly raw: unknown;
}

export const recordings: readonly Recording[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .toSorted()
  .map((file) => {
    const raw: unknown = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
    const parsed = Exchange.safeParse(raw);
    return { name: file.replace(/\.json$/, ''), exchange: parsed.success ? parsed.data : null, raw };
  });

/** The one whose name begins so, such as `429` or `101-`. */
export function exchange(prefix: string): Exchange {
  const found = recordings.find(({ name }) => name.startsWith(prefix))?.exchange;
  if (!found) throw new Error(`no recorded exchange begins with ${prefix}`);
  return found;
}

const Deliveries = z.object({
  webhook_secret_key: z.string(),
  deliveries: z.array(
    z.object({
      headers: z.record(z.string(), z.string()),
      body_raw: z.string(),
      body: z.object({ event: z.string(), data: z.looseObject({ id: z.string(), project: z.string().optional() }) }),
    }),
  ),
});

/** Every recorded delivery of a webhook, with what it was signed by. */
export const recordedDeliveries = () =>
  recordings.flatMap(({ name, raw }) => {
    const parsed = Deliveries.safeParse(raw);
    if (!parsed.success) return [];
    return parsed.data.deliveries.map(({ headers, body_raw, body }, index) => ({
      name: `${name} ${index + 1}`,
      secret: parsed.data.webhook_secret_key,
      signature: headers['X-Plane-Signature'],
      body: Buffer.from(body_raw, 'utf8'),
      event: body,
    }));
  });
