import fc from 'fast-check';
import { codePoint } from '../setup/code-points.ts';

const fail = (): never => {
  throw new Error('hostile');
};

const throwingHandler = (): ProxyHandler<object> => ({
  get: fail,
  has: fail,
  ownKeys: fail,
  getPrototypeOf: fail,
  getOwnPropertyDescriptor: fail,
  set: fail,
  defineProperty: fail,
});

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const CONTRACT_KEYS = [
  ...[
    'inForce',
    'dbStage',
    'windowActive',
    'verdict',
    'configured',
    'selfHosting',
    'enabled',
    'repos',
    'selfHostingRepo',
  ],
  ...['at', 'health', 'requests', 'errors5xx', 'failThreshold', 'errorRatioThreshold', 'minRequests', 'confirmAfterMs'],
  ...['windowMs', 'intervalMs', 'confirmMs', 'openedAt', 'endsAt', 'made', 'missed', 'unknown'],
];

/** An object or a list every part of which throws when it is read. */
const throwing = (target: object, keys: readonly (string | symbol)[]): unknown =>
  Object.defineProperties(
    target,
    Object.fromEntries(keys.map((key) => [key, { get: fail, enumerable: true, configurable: true }])),
  );

/** Makers of hostile values: a maker, because fast-check itself would look into the values. */
const HOSTILE: readonly (() => unknown)[] = [
  () => new Proxy({}, throwingHandler()),
  () => new Proxy([], throwingHandler()),
  () => new Proxy(fail, throwingHandler()),
  () => new Proxy([{ at: 1, health: 'fail', requests: 1, errors5xx: 1 }], { get: fail }),
  () => new Proxy([1, 2], { ownKeys: fail }),
  () => revoked({}),
  () => revoked([]),
  () => revoked(fail),
  () => throwing({}, CONTRACT_KEYS),
  () => throwing([{ at: 1 }, { at: 2 }], ['0', '1']),
  () => throwing([{ at: 1 }], [Symbol.iterator]),
  () => Object.assign([{ at: 1, health: 'fail' }], { [Symbol.iterator]: fail, map: fail, filter: fail, length: 3 }),
  () => Object.assign([], { length: 2 ** 32 - 1 }),
  () => ({ [Symbol.toPrimitive]: fail, toString: fail, valueOf: fail }),
  () => Object.create(null),
  () => Object.freeze([Object.freeze({ at: 0 })]),
  () => fail,
  () => Symbol('at'),
  () => Symbol.iterator,
  () => 10n ** 40n,
  () => -1n,
  () => new Date(Number.NaN),
  () => new Map([['at', 1]]),
  () => new Number(5),
  () => new String('done'),
  () => new Boolean(true),
];

const NUMBERS = [
  ...[0, -0, 1, -1, 0.05, 0.5, 1.5, 3, 20, 60_000, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ...[Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER, 2 ** 53],
];

const WORDS = [
  ...[
    'done',
    ' DONE ',
    'cancelled',
    'Cancelled',
    'deploying',
    'awaiting_deploy',
    'monitoring',
    'pass',
    'fail',
    'unknown',
  ],
  ...[
    'HEALTHY',
    'DEGRADED',
    'degraded',
    'rollback',
    'ROLLBACK',
    'alert',
    'true',
    'false',
    '',
    'acme/shop',
    '__proto__',
  ],
];

const text = fc.string({ unit: codePoint });

const anything = fc.anything({
  key: text,
  values: [fc.boolean(), fc.maxSafeInteger(), fc.double(), text, fc.constantFrom(null, undefined)],
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

const leaf: fc.Arbitrary<() => unknown> = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.constantFrom(...NUMBERS, ...WORDS, true, false, null, undefined).map((value) => () => value),
  fc.double().map((value) => () => value),
  anything.map((value) => () => value),
);

const build = (parts: Record<string, () => unknown>): unknown =>
  Object.fromEntries(Object.entries(parts).map(([key, make]) => [key, make()]));

/** Objects with the contracts' keys, any of them missing, and anything at all in each. */
const shaped: fc.Arbitrary<() => unknown> = fc
  .dictionary(fc.constantFrom(...CONTRACT_KEYS), leaf, { maxKeys: 12 })
  .map((parts) => () => build(parts));

const observationShaped: fc.Arbitrary<() => unknown> = fc
  .record({ at: leaf, health: leaf, requests: leaf, errors5xx: leaf }, { requiredKeys: ['at'] })
  .map((parts) => () => build({ ...parts }));

const lists: fc.Arbitrary<() => unknown> = fc
  .array(fc.oneof(leaf, shaped, observationShaped), { maxLength: 8 })
  .map((makers) => () => makers.map((make) => make()));

/** Anything at all, as a maker of it: call it where the value is needed. */
export const garbage: fc.Arbitrary<() => unknown> = fc.oneof(leaf, shaped, lists, observationShaped);
