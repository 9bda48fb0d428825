import { z } from 'zod';
import { quote } from './faults.ts';
import { block, filling, is, json, list, map, withheld } from './file-shapes.ts';
import { count, envName, flag, type Kind, path, seconds, slug, text } from './kinds.ts';
import type { Substitute } from './substitution.ts';
import { httpUrl } from './urls.ts';
import { approvalRule, approvalTimeout, windowKinds } from './window-kinds.ts';

const DAY = 86_400;
const argument = text('text without NUL characters', /^[^\0]{1,10000}$/);
const headerValue = text('one line of printable characters', /^[\x20-\x7e\x80-\xff]{0,8000}$/);
const envValue = text('text without NUL characters', /^[^\0]{0,100000}$/);
/** YAML has words for it of its own; the ones of the environment would be text. */
const yesOrNo: Kind<boolean> = { ...flag, accepts: 'true or false' };
const pointer = /^(\/([^~]|~[01])*)?$/;
const place = text('a JSON pointer, such as /result/state', pointer);
const driverTimeout = seconds(0.1, 7 * DAY);

const expected = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: 'must be text, a number, true, false or null: a pointer leads to one value',
});

const windowBlock = block({
  seconds: is(windowKinds.window).optional(),
  intervalSeconds: is(windowKinds.interval).optional(),
  confirmSeconds: is(windowKinds.confirm).optional(),
  failThreshold: is(windowKinds.failThreshold).optional(),
  errorRatioThreshold: is(windowKinds.errorRatioThreshold).optional(),
  minRequests: is(windowKinds.minRequests).optional(),
  action: is(windowKinds.action).optional(),
  maxSeconds: is(windowKinds.maxWindow).optional(),
  rollbackWatchSeconds: is(windowKinds.rollbackWatch).optional(),
  requireVersion: is(yesOrNo).optional(),
});

const answerBlock = block({
  id: is(place).optional(),
  status: is(place).optional(),
  detail: is(place).optional(),
  version: is(place).optional(),
  operationId: is(place).optional(),
  words: map(
    /^.{1,100}$/,
    'a word of at most 100 characters',
    z.enum(['running', 'succeeded', 'failed'], {
      error: ({ input }) => `must be running, succeeded or failed, got ${quote(input)}`,
    }),
  ).optional(),
});

/** The schema of one repository; times become whole milliseconds, and names of variables their values. */
export function repositorySchema(substitute: Substitute) {
  const filled = filling(substitute);
  const headers = map(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'the name of a header', filled(headerValue, withheld));
  const url = filled(httpUrl);

  const drivers = {
    command: block({
      driver: z.literal('command'),
      command: z.tuple([filled(argument)], filled(argument), {
        error: ({ input }) =>
          typeof input === 'string'
            ? `must be a list, such as [make, deploy], got ${quote(input)} (no shell runs it, so nothing would split it into words)`
            : input === undefined
              ? 'is missing: it must be a list of the program and its arguments'
              : `must be a list of the program and its arguments, got ${quote(input)}`,
      }),
      cwd: is(path).optional(),
      env: map(
        /^[A-Za-z_][A-Za-z0-9_]*$/,
        'the name of an environment variable',
        filled(envValue, withheld),
      ).optional(),
      passEnv: list(is(envName, withheld), 'names of environment variables').optional(), // NAME=value may be a mistake
      timeoutSeconds: is(driverTimeout).optional(),
      idempotent: is(yesOrNo).optional(),
    }),
    webhook: block({
      driver: z.literal('webhook'),
      url,
      headers: headers.optional(),
      body: json(substitute).optional(),
      statusUrl: url.optional(),
      answer: answerBlock.optional(),
      pollSeconds: is(seconds(0.2, 600)).optional(),
      timeoutSeconds: is(driverTimeout).optional(),
      idempotent: is(yesOrNo).optional(),
    }),
    external: block({ driver: z.literal('external'), timeoutSeconds: is(driverTimeout).optional() }),
  };

  return block({
    plane: block({ project: is(slug) }).optional(),
    deploy: z.discriminatedUnion('driver', [drivers.command, drivers.webhook, drivers.external], {
      error: ({ code, input }) => unknownDriver(code, input, 'command, webhook or external', ''),
    }),
    rollback: z
      .discriminatedUnion('driver', [drivers.command, drivers.webhook], {
        error: ({ code, input }) =>
          unknownDriver(code, input, 'command or webhook', ' (external cannot roll back: nobody would be told to)'),
      })
      .optional(),
    health: block({
      url,
      expectStatus: z
        .unknown()
        .transform((given) => (Array.isArray(given) ? given : [given]))
        .pipe(list(is(count(100, 599)), 'HTTP statuses'))
        .optional(),
      expectJson: map(pointer, 'a JSON pointer, such as /checks/database', expected).optional(),
      timeoutSeconds: is(seconds(0.1, 2)).optional(),
      headers: headers.optional(),
    }).optional(),
    healthCheck: block({
      deadlineSeconds: is(seconds(0.1, DAY)).optional(),
      passes: is(count(1, 100)).optional(),
    }).optional(),
    traffic: list(url, 'URLs').optional(),
    watch: is(yesOrNo).optional(),
    guard: is(yesOrNo).optional(),
    approval: is(approvalRule).optional(),
    approvalTimeoutSeconds: is(approvalTimeout).optional(),
    window: windowBlock.optional(),
  });
}

function unknownDriver(code: string, input: unknown, known: string, why: string): string {
  if (code !== 'invalid_union' || typeof input !== 'object' || input === null) {
    return input === undefined
      ? `is missing: it must be a map with a driver`
      : `must be a map with a driver, got ${quote(input)}`;
  }
  const driver = 'driver' in input ? input.driver : undefined;
  return driver === undefined
    ? `is missing: it must be ${known}`
    : `must be ${known}, got ${quote(driver)}${driver === 'external' ? why : ''}`;
}

export type RepositoryEntry = z.infer<ReturnType<typeof repositorySchema>>;
export type DriverEntry = RepositoryEntry['deploy'];
export type WindowEntry = z.infer<typeof windowBlock>;
