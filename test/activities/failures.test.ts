import { ServiceError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { asFailure, FAILURE_TYPES } from '../../activities/failures.ts';
import {
  PlaneAmbiguousState,
  type PlaneFailure,
  PlaneForbidden,
  PlaneMisconfigured,
  PlaneNotFound,
  PlaneRateLimited,
  PlaneRejected,
  PlaneUnauthorized,
  PlaneUnavailable,
  PlaneUnknownState,
} from '../../adapters/plane/errors.ts';
import { DatabaseUnavailable } from '../../adapters/postgres/querier.ts';
import { LockTimeout } from '../../adapters/postgres/work-item-lock.ts';

const facts = (change: Partial<PlaneFailure> = {}): PlaneFailure => ({
  method: 'PATCH',
  path: '/api/v1/x/',
  status: 409,
  writeMayHaveApplied: false,
  ...change,
});

describe('what only a person can mend is not retried', () => {
  test.each([
    PlaneUnauthorized,
    PlaneForbidden,
    PlaneNotFound,
    PlaneMisconfigured,
    PlaneUnknownState,
    PlaneAmbiguousState,
    PlaneRejected,
  ])('$name', (Kind) => {
    const error = new Kind('refused.', facts());
    const failure = asFailure(error);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: Kind.name, message: error.message, nonRetryable: true, cause: error });
    expect(FAILURE_TYPES).toHaveProperty(Kind.name, { retry: false });
  });
});

describe('what Temporal answers an activity', () => {
  const answered = (code: number, details: string): ServiceError =>
    new ServiceError('Failed to list workflows', {
      cause: Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} }),
    });

  test.each([
    [7, 'Request unauthorized.'],
    [16, 'invalid API key'],
    [3, 'invalid query: column name D2dRepo is not defined'],
    [12, 'unknown method'],
  ])('is not retried where it refuses for good: code %i', (code, details) => {
    expect(asFailure(answered(code, details))).toMatchObject({
      type: 'TemporalRefused',
      message: `Temporal refuses: Failed to list workflows: ${details}`,
      nonRetryable: true,
    });
    expect(FAILURE_TYPES.TemporalRefused.retry).toBe(false);
  });

  test.each([1, 4, 8, 13, 14])('is retried where it may heal: code %i', (code) => {
    const error = answered(code, 'later');
    expect(asFailure(error)).toBe(error);
  });
});

test('a rate limit is retried when it is over', () => {
  const failure = asFailure(new PlaneRateLimited('later.', facts({ status: 429 }), 42_000));
  expect(failure).toMatchObject({ type: 'PlaneRateLimited', nonRetryable: false, nextRetryDelay: 42_000 });
  expect(FAILURE_TYPES.PlaneRateLimited.retry).toBe(true);
});

test.each([
  { what: 'a write whose state may be known by an old id', change: { status: 400 }, retry: true },
  {
    what: 'a comment that may be there',
    change: { method: 'POST', status: 400, writeMayHaveApplied: true },
    retry: true,
  },
  { what: 'a comment that is refused', change: { method: 'POST', status: 400 }, retry: false },
  { what: 'a read that is refused', change: { method: 'GET', status: 400 }, retry: false },
  { what: 'a write too large', change: { status: 413 }, retry: false },
  { what: 'an id that is none', change: { status: null }, retry: false },
])('PlaneRejected, $what: retried $retry', ({ change, retry }) => {
  const error = new PlaneRejected('no.', facts(change));
  const failure = asFailure(error);
  if (retry) expect(failure).toBe(error);
  else expect(failure).toMatchObject({ type: 'PlaneRejected', nonRetryable: true });
});

test('a write that Plane refuses again and again is for a person', () => {
  const error = new PlaneRejected('Start date cannot exceed target date', facts({ status: 400 }));
  expect(asFailure(error, 3)).toBe(error);
  expect(asFailure(error, 4)).toMatchObject({ type: 'PlaneRejected', nonRetryable: true, message: error.message });
});

test.each([
  new PlaneUnavailable('away.', facts({ status: 500, writeMayHaveApplied: true })),
  new DatabaseUnavailable('away'),
  new LockTimeout('busy'),
])('$name stays as it is, and Temporal retries it by its name', (error) => {
  expect(asFailure(error)).toBe(error);
  expect(FAILURE_TYPES).toHaveProperty(error.name, { retry: true });
});

test.each([
  new Error('anything'),
  ApplicationFailure.nonRetryable('known', 'UnknownRepository'),
  'text',
  null,
  undefined,
])('what is not an adapter’s passes: %s', (thrown) => {
  expect(asFailure(thrown)).toBe(thrown);
});
