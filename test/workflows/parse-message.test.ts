import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isMonitorInput,
  parseDeployFinished,
  parseDeployInput,
  parseDriverStuck,
  parseExtension,
  parseReopen,
  parseResolution,
  parseSetDeployStatus,
  parseSignalCommand,
  parseUpdateCommand,
} from '../../workflows/parse-message.ts';
import { policy } from './item.ts';

const UNKNOWN = { by: 'unknown', reason: 'unknown' };

/** Whatever JSON, bytes or a converter can make of a payload. */
const payload = fc.oneof(
  fc.jsonValue(),
  fc.uint8Array({ maxLength: 8 }),
  fc.constant(undefined),
  fc.record(
    {
      by: fc.oneof(fc.string(), fc.jsonValue()),
      reason: fc.oneof(fc.string(), fc.jsonValue()),
      minutes: fc.oneof(fc.double(), fc.jsonValue()),
      ok: fc.oneof(fc.boolean(), fc.jsonValue()),
      repo: fc.oneof(fc.string(), fc.jsonValue()),
      workItem: fc.oneof(fc.string(), fc.jsonValue()),
      status: fc.oneof(fc.constantFrom('awaiting_deploy', 'deploying', 'monitoring', 'done'), fc.jsonValue()),
      policy: fc.jsonValue(),
    },
    { requiredKeys: [] },
  ),
);

describe('a command in a signal', () => {
  test.each([
    [undefined, UNKNOWN],
    [null, UNKNOWN],
    [{}, UNKNOWN],
    [{ by: 'a' }, { by: 'a', reason: 'unknown' }],
    [{ reason: 'b' }, { by: 'unknown', reason: 'b' }],
    [
      { by: '  a ', reason: ' ' },
      { by: 'a', reason: 'unknown' },
    ],
    [
      { by: null, reason: 'b', more: 1 },
      { by: 'unknown', reason: 'b' },
    ],
    [{ by: 'x'.repeat(501) }, { by: 'x'.repeat(500), reason: 'unknown' }],
  ])('%j counts', (given, command) => {
    expect(parseSignalCommand(given)).toEqual(command);
  });

  test.each([
    [0, 'its payload must be an object {by, reason}, got 0'],
    ['', 'its payload must be an object {by, reason}, got ""'],
    [false, 'its payload must be an object {by, reason}, got false'],
    [[], 'its payload must be an object {by, reason}, got []'],
    [new Uint8Array([1]), 'its payload must be an object {by, reason}, got {"0":1}'],
    [{ by: 7 }, 'by and reason must be texts, got {"by":7}'],
    [{ by: 'a', reason: [] }, 'by and reason must be texts, got {"by":"a","reason":[]}'],
    ['x'.repeat(300), `its payload must be an object {by, reason}, got "${'x'.repeat(199)}…`],
  ])('%j is garbage', (given, why) => {
    expect(parseSignalCommand(given)).toBe(why);
  });
});

describe('a command in an update', () => {
  test('must say who and why', () => {
    expect(parseUpdateCommand({ by: ' a ', reason: 'b' })).toEqual({ by: 'a', reason: 'b' });
    for (const given of [
      undefined,
      null,
      7,
      [],
      'x',
      {},
      { by: 'a' },
      { reason: 'b' },
      { by: '', reason: 'b' },
      { by: 7, reason: 'b' },
    ]) {
      expect(parseUpdateCommand(given)).toEqual(expect.any(String));
    }
  });

  test.each([[0.001], [1], [1e308]])('extends by %j minutes', (minutes) => {
    expect(parseExtension({ by: 'a', reason: 'b', minutes })).toEqual({ by: 'a', reason: 'b', minutes });
  });

  test.each([[0], [-1], [Number.NaN], [Number.POSITIVE_INFINITY], ['5'], [null], [undefined], [[5]]])(
    'does not extend by %j minutes',
    (minutes) => {
      expect(parseExtension({ by: 'a', reason: 'b', minutes })).toMatch(
        /^minutes must be a number greater than 0, got /,
      );
    },
  );
});

describe('the report of an external deployer', () => {
  test.each([
    [{ ok: true }, { ok: true }],
    [
      { ok: false, version: ' v2 ', detail: '', by: null },
      { ok: false, version: 'v2' },
    ],
  ])('%j counts', (given, finished) => {
    expect(parseDeployFinished(given)).toEqual(finished);
  });

  test.each([
    [undefined],
    [true],
    [{}],
    [{ ok: 'true' }],
    [{ ok: 1 }],
    [{ ok: true, version: 2 }],
    [{ ok: true, by: {} }],
  ])('%j is garbage', (given) => {
    expect(parseDeployFinished(given)).toEqual(expect.any(String));
  });
});

describe('the start of a deploy', () => {
  test.each([
    [
      { repo: 'shop', workItem: 'ORCH-1' },
      { repo: 'shop', workItem: 'ORCH-1' },
    ],
    [
      { repo: 'shop', workItem: 'ORCH-1', version: 'v2', approval: 'none', requestedBy: 'ci', createTask: true },
      { repo: 'shop', workItem: 'ORCH-1', version: 'v2', approval: 'none', requestedBy: 'ci', createTask: true },
    ],
    [
      { repo: 'shop', workItem: 'ORCH-1', version: null, approval: null, createTask: null },
      { repo: 'shop', workItem: 'ORCH-1' },
    ],
  ])('%j counts', (given, input) => {
    expect(parseDeployInput(given)).toEqual(input);
  });

  test.each([
    [undefined, 'the start must name'],
    [{ repo: ' ', workItem: 'ORCH-1' }, 'the start must name'],
    [{ repo: 'shop' }, 'the start must name'],
    [{ repo: 'shop', workItem: 'ORCH-1', version: 2 }, 'version and requestedBy must be texts'],
    [{ repo: 'shop', workItem: 'ORCH-1', approval: 'maybe' }, 'approval must be "required" or "none", got "maybe"'],
    [{ repo: 'shop', workItem: 'ORCH-1', createTask: 'yes' }, 'createTask must be true or false, got "yes"'],
  ])('%j is refused', (given, why) => {
    expect(parseDeployInput(given)).toContain(why);
  });
});

test('a version that breaks the pattern is refused wherever it comes in, except in runs of earlier versions', () => {
  const earlier = () => false;
  const why = expect.stringMatching(/^version must begin with .*, got "v 2"$/);
  const start = { repo: 'shop', workItem: 'ORCH-1', version: 'v 2' };
  expect(parseDeployInput(start)).toEqual(why);
  expect(parseDeployInput(start, earlier)).toEqual(start);
  expect(parseDeployFinished({ ok: true, version: 'v 2' })).toEqual(why);
  expect(parseDeployFinished({ ok: true, version: 'v 2' }, earlier)).toEqual({ ok: true, version: 'v 2' });
  const resolution = { deployed: true, by: 'a', reason: 'b', version: 'v 2' };
  expect(parseResolution(resolution)).toEqual(why);
  expect(parseResolution(resolution, earlier)).toEqual(resolution);

  const neverAsked = () => expect.unreachable('a version that is fine asks for no patch');
  expect(parseDeployInput({ ...start, version: ' v2 ' }, neverAsked)).toEqual({ ...start, version: 'v2' });
  expect(parseDeployFinished({ ok: true }, neverAsked)).toEqual({ ok: true });
});

test.each([
  ['my shop', 'ORCH-1', /^repo must begin with a letter or digit .*, got "my shop"$/],
  ['shop\u202e', 'ORCH-1', /^repo must begin/],
  ['shop', 'release of march', /^workItem must be a key such as ORCH-61 .*, got "release of march"$/],
  ['shop', 'ORCH-1\u001b[2J', /^workItem must be/],
])('a start for %j and %j is refused, except in runs of earlier versions', (repo, workItem, why) => {
  const earlier = () => false;
  const yes = () => true;
  const names = { repo, workItem };
  expect(parseDeployInput(names)).toMatch(why);
  expect(parseDeployInput(names, yes, earlier)).toEqual(names);
  const status = { ...names, status: 'deploying', caller: 'ci' };
  expect(parseSetDeployStatus(status)).toMatch(why);
  expect(parseSetDeployStatus(status, earlier)).toEqual(status);
  const reopen = { ...names, by: 'a', reason: 'b' };
  expect(parseReopen(reopen)).toMatch(why);
  expect(parseReopen(reopen, earlier)).toEqual(reopen);

  const neverAsked = () => expect.unreachable('a name that is fine asks for no patch');
  const fine = { repo: 'org/shop', workItem: 'ORCH-1' };
  expect(parseDeployInput(fine, yes, neverAsked)).toEqual(fine);
  expect(parseSetDeployStatus({ ...status, ...fine }, neverAsked)).toMatchObject(fine);
  expect(parseReopen({ ...reopen, ...fine }, neverAsked)).toMatchObject(fine);
});

test('a driver says for what it needs a person, and whether it deploys or rolls back', () => {
  const stuck = { kind: 'rollback', text: 'its status URL answers 401' };
  expect(parseDriverStuck({ ...stuck, more: 1 })).toEqual(stuck);
  for (const garbage of [null, 'text', {}, { ...stuck, kind: 'restart' }, { ...stuck, text: ' ' }, { kind: 'deploy' }])
    expect(parseDriverStuck(garbage)).toMatch(
      /^its payload must be an object \{kind: "deploy" \| "rollback", text\}, got /,
    );
});

test('a status write needs a repository, a work item and one of the three statuses; a caller that is missing is unknown', () => {
  const given = { repo: 'shop', workItem: 'ORCH-1', status: 'deploying' };
  expect(parseSetDeployStatus(given)).toEqual({ ...given, caller: 'unknown' });
  expect(parseSetDeployStatus({ ...given, caller: 'ci', reason: 'r' })).toEqual({
    ...given,
    caller: 'ci',
    reason: 'r',
  });
  for (const bad of [
    undefined,
    {},
    { ...given, status: 'done' },
    { ...given, status: 'toString' },
    { ...given, caller: 1 },
  ]) {
    expect(parseSetDeployStatus(bad)).toEqual(expect.any(String));
  }
});

test('a window needs a repository, a work item and a cadence', () => {
  const given = { repo: 'shop', workItem: 'ORCH-1', policy: policy(), rollback: null };
  expect(isMonitorInput(given)).toBe(true);
  for (const bad of [
    undefined,
    'x',
    {},
    { ...given, repo: '' },
    { ...given, workItem: 7 },
    { ...given, policy: undefined },
    { ...given, policy: { ...policy(), windowMs: 0 } },
    { ...given, policy: { ...policy(), intervalMs: 'soon' } },
    { ...given, policy: { ...policy(), confirmMs: -1 } },
    { ...given, policy: { ...policy(), windowMs: 1e9, intervalMs: 1, confirmMs: 1, maxWindowMs: 1e9 } },
    { ...given, rollback: 'yes' },
  ]) {
    expect(isMonitorInput(bad)).toBe(false);
  }
});

test('what is nested deeper than a message shows is left out', () => {
  const deep = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);
  expect(parseSignalCommand(deep)).toBe('its payload must be an object {by, reason}, got [[[[[…]]]]]');
  expect(parseSignalCommand({ by: { a: [1, { b: deep }] } })).toBe(
    'by and reason must be texts, got {"by":{"a":[1,{"b":[…]}]}}',
  );
});

test('nothing throws, whatever arrives; what is read is whole', () => {
  const parsers = [
    parseSignalCommand,
    parseUpdateCommand,
    parseExtension,
    parseDeployFinished,
    parseDeployInput,
    parseSetDeployStatus,
  ];
  fc.assert(
    fc.property(payload, (given) => {
      for (const parse of parsers) {
        const parsed = parse(given);
        expect(parsed).not.toBe('');
        if (typeof parsed === 'string') continue;
        for (const [key, value] of Object.entries(parsed)) {
          if (['by', 'reason', 'repo', 'workItem', 'caller'].includes(key)) expect(String(value).trim()).not.toBe('');
        }
      }
      isMonitorInput(given);
    }),
  );
});
