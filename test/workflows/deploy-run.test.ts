import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lastSay } from '../../decisions/index.ts';
import { OWED } from '../../workflows/deploy-endings.ts';
import * as deploy from '../../workflows/deploy-run.ts';
import type { DeployOutcome, DeployPhase } from '../../workflows/messages.ts';
import { plan } from './item.ts';

const OPS = { by: 'oncall', reason: 'fine' };
const external = plan({ driver: { kind: 'external', idempotent: false, timeoutMs: 60_000 } });
const INPUT = { repo: 'shop', workItem: 'ORCH-1', version: 'v2' };

const asked = deploy.askedForApproval(deploy.begin(), plan(), true, 1_000);
const unasked = deploy.askedForApproval(deploy.begin(), plan(), false, 1_000);

describe('approval', () => {
  test('one that is required expires', () => {
    expect(asked.approval).toEqual({ required: true, expiresAt: 3_601_000, decision: null, by: null, reason: null });
  });

  test('one that is not required is given', () => {
    expect(unasked.approval).toMatchObject({ required: false, decision: 'approved', by: null });
  });

  test('a decision that came before it was asked for stands', () => {
    const early = deploy.askedForApproval(deploy.decided(deploy.begin(), 'rejected', OPS), plan(), true, 1_000);
    expect(early.approval).toMatchObject({ decision: 'rejected', by: 'oncall', reason: 'fine', expiresAt: 3_601_000 });
  });

  test.each([
    ['asked for', asked, null],
    ['not begun', deploy.begin(), null],
    ['not required', unasked, 'no approval is required'],
    ['approved', deploy.decided(asked, 'approved', OPS), 'it was approved by oncall already'],
    ['rejected', deploy.decided(asked, 'rejected', OPS), 'it was rejected by oncall already'],
    ['over', deploy.over(asked, { outcome: 'cancelled', reason: 'x' }), 'the run has ended'],
  ])('%s: a decision counts, or why not', (_, run, why) => {
    expect(deploy.decisionRefusal(run)).toBe(why);
  });
});

test.each([
  ['none', asked, null],
  ['a report', deploy.reported(asked, { ok: true }), 'the deploy has been reported already'],
  ['deployed', deploy.resolved(asked, { deployed: true, ...OPS }), 'oncall has said already that it was deployed'],
  ['not', deploy.resolved(asked, { deployed: false, ...OPS }), 'oncall has said already that it was not deployed'],
])('what was said before of how the deploy ended: %s', (_, run, why) => {
  expect(deploy.earlierAnswer(run)).toBe(why);
});

const OWN = 'run-1:deploy';

describe('the report of an external deployer', () => {
  const askedFor = { ...external, approval: { required: true, timeoutMs: 1 } };
  const approved = deploy.decided(asked, 'approved', OPS);
  test.each([
    ['no plan yet', asked, null, null],
    ['another driver', approved, plan(), 'this repository is not deployed by an external deployer'],
    ['not approved', asked, askedFor, 'the deploy is not approved yet'],
    ['rejected', deploy.decided(asked, 'rejected', OPS), askedFor, 'the deploy is not approved yet'],
    ['approved', approved, external, null],
    ['deploying', deploy.inPhase(approved, 'deploying'), external, null],
    ['reported', deploy.reported(approved, { ok: false }), external, 'the deploy has been reported already'],
    ['checking', deploy.inPhase(approved, 'checking'), external, 'the deploy is over'],
    ['monitoring', deploy.armed(approved, 'monitor/shop/ORCH-1'), external, 'the deploy is over'],
    ['unknown', deploy.unknown(approved, 'the worker was lost'), external, null],
  ])('%s', (_, run, fixed, why) => {
    expect(deploy.finishRefusal(run, fixed, { ok: true }, INPUT, OWN)).toBe(why);
  });

  test.each([
    [{}, null],
    [{ version: 'v2' }, null],
    [{ version: 'v1' }, 'it is about version v1, not v2'],
    [{ operationId: OWN }, null],
    [{ operationId: 'run-0:deploy', version: 'v2' }, 'it is about operation run-0:deploy, not run-1:deploy'],
  ])('about %j', (named, why) => {
    expect(deploy.finishRefusal(approved, external, { ok: true, ...named }, INPUT, OWN)).toBe(why);
  });

  test('counts before an approval where none is needed', () => {
    const begun = deploy.begin();
    const report = { ok: true, version: 'v2' };
    expect(deploy.finishRefusal(begun, external, report, { ...INPUT, approval: 'none' }, OWN)).toBeNull();
    const free = { ...external, approval: { required: false, timeoutMs: 1 } };
    expect(deploy.finishRefusal(begun, free, report, INPUT, OWN)).toBeNull();
    expect(deploy.finishRefusal(begun, external, report, { ...INPUT, approval: 'required' }, OWN)).not.toBeNull();
  });
});

describe('what people see', () => {
  test('while it waits for its approval', () => {
    expect(deploy.details(asked, INPUT)).toBe(
      '**awaiting approval** · shop v2\n\nWaits for `approve` or `reject` until 1970-01-01T01:00:01.000Z.',
    );
  });

  test('at its end', () => {
    const run = deploy.over(deploy.armed(deploy.decided(asked, 'approved', OPS), 'monitor/shop/ORCH-1'), {
      outcome: 'no_evidence',
      reason: 'nothing was seen',
    });
    expect(deploy.details(deploy.noted(run, 'late', 0), INPUT).split('\n\n')).toEqual([
      '**no evidence** · shop v2',
      'nothing was seen',
      'approved by oncall: fine',
      'Post-deploy window: `monitor/shop/ORCH-1`',
      '1970-01-01T00:00:00.000Z late',
    ]);
    expect(deploy.status(run, INPUT, OWN)).toEqual({
      repo: 'shop',
      workItem: 'ORCH-1',
      version: 'v2',
      requestedBy: null,
      operationId: OWN,
      phase: 'finished',
      outcome: 'no_evidence',
      reason: 'nothing was seen',
      approval: { required: true, expiresAt: 3_601_000, decision: 'approved', by: 'oncall', reason: 'fine' },
      reported: null,
      otherVersionRequested: false,
      resolution: null,
      windowId: 'monitor/shop/ORCH-1',
      notes: [],
    });
  });
});

type Step = (run: deploy.DeployRun) => deploy.DeployRun;

test('of many notes the first and the last are kept', () => {
  let run = deploy.begin();
  for (let n = 0; n < 250; n += 1) run = deploy.noted(run, `note ${n}`, n);
  const texts = run.notes.map(({ at }) => at);
  expect(texts).toEqual([...Array(50).keys(), ...Array.from({ length: 50 }, (_, n) => 200 + n)]);
});

test('steps in any order never throw, change nothing in place and keep at most 100 notes', () => {
  const steps: fc.Arbitrary<Step> = fc.oneof(
    fc.string().map(
      (text): Step =>
        (run) =>
          deploy.noted(run, text, 1),
    ),
    fc.constantFrom<DeployPhase>('awaiting_approval', 'deploying', 'checking', 'monitoring', 'finished').map(
      (phase): Step =>
        (run) =>
          deploy.inPhase(run, phase),
    ),
    fc.constantFrom('approved' as const, 'rejected' as const, 'expired' as const).map(
      (decision): Step =>
        (run) =>
          deploy.decided(run, decision, OPS),
    ),
    fc.boolean().map(
      (required): Step =>
        (run) =>
          deploy.askedForApproval(run, plan(), required, 1),
    ),
    fc.boolean().map(
      (ok): Step =>
        (run) =>
          deploy.reported(run, { ok }),
    ),
    fc.string().map(
      (id): Step =>
        (run) =>
          deploy.armed(run, id),
    ),
    fc.constantFrom<DeployOutcome>('done', 'cancelled', 'window_lost').map(
      (outcome): Step =>
        (run) =>
          deploy.over(run, { outcome, reason: 'r' }),
    ),
  );
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 150 }), (all) => {
      let run = deploy.begin();
      for (const step of all) {
        const before = JSON.stringify(run);
        const next = step(run);
        expect(JSON.stringify(run)).toBe(before);
        run = next;
        deploy.decisionRefusal(run);
        deploy.finishRefusal(run, external, { ok: true }, INPUT, OWN);
        deploy.resolveRefusal(run);
        expect(deploy.details(run, INPUT)).toContain('shop v2');
        expect(run.notes.length).toBeLessThanOrEqual(100);
      }
    }),
    { numRuns: 50 },
  );
});

test.each(Object.entries(OWED))(
  'after a run that ended %s, an earlier run may put its status back only if this one did',
  (outcome, { status }) => {
    const latest = { runId: 'run-2', running: false, phase: 'finished', outcome };
    expect(lastSay('run-1', latest)).toBe(status === 'put_back' ? 'has' : 'lost');
  },
);
