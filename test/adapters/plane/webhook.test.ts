import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEvent } from '../../../adapters/plane/webhook.ts';
import { recordedDeliveries } from './recordings.ts';

const sign = (secret: string, body: Buffer): string => createHmac('sha256', secret).update(body).digest('hex');

describe('every recorded delivery of a real Plane', () => {
  const deliveries = recordedDeliveries();

  test('there are some', () => expect(deliveries.length).toBeGreaterThanOrEqual(16));

  test.each(deliveries)('$name', ({ secret, signature, body, event }) => {
    const read = readEvent(secret, signature, body);
    const isWorkItem = event.event === 'issue' && event.data.project !== undefined;
    expect(read).toEqual(
      isWorkItem ? { kind: 'work item', event: { id: event.data.id, project: event.data.project } } : { kind: 'other' },
    );
    expect(readEvent(`${secret}x`, signature, body), 'another secret').toEqual({ kind: 'forged' });
    const again = Buffer.from(JSON.stringify(JSON.parse(body.toString('utf8'))));
    expect(readEvent(secret, signature, again), 'parsed and written again').toEqual({ kind: 'forged' });
  });
});

test.each([undefined, '', 'sha256=00', 'zz'.repeat(32), '00'.repeat(31), '00'.repeat(33), `${'00'.repeat(32)} `])(
  'the signature %j is none',
  (signature) => {
    expect(readEvent('secret', signature, Buffer.from('{}'))).toEqual({ kind: 'forged' });
  },
);

test('a signed body is what it says, or garbage; nothing throws, and a forged one is forged whatever it is', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.json().map((text) => Buffer.from(text)),
        fc
          .record({ event: fc.constantFrom('issue', 'cycle'), action: fc.string(), data: fc.object() })
          .map((event) => Buffer.from(JSON.stringify(event))),
      ),
      (body) => {
        expect(['other', 'garbage']).toContain(readEvent('secret', sign('secret', body), body).kind);
        expect(readEvent('secret', sign('other', body), body).kind).toBe('forged');
      },
    ),
  );
});
