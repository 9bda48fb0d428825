import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLogger, temporalLogger } from '../../adapters/logging.ts';
import { HOSTILE, hostile, STEERING } from '../setup/hostile.ts';

function captured(level: Parameters<typeof createLogger>[0] = 'trace') {
  const lines: string[] = [];
  const log = createLogger(level, { write: (line) => lines.push(line) });
  return { log, lines, records: (): unknown[] => lines.map((line) => JSON.parse(line)) };
}

test('one JSON line a record: level by name, time in ISO 8601, neither process id nor host', () => {
  const { log, lines, records } = captured();
  log.info({ work_item: 'ORCH-61' }, 'two\nlines');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^[^\n]*\n$/);
  expect(records()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      work_item: 'ORCH-61',
      msg: 'two\nlines',
    },
  ]);
});

test('whatever is logged, a terminal gets nothing that steers it, and programs read the same', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const { log, lines, records } = captured();
      const nested = { [`key ${text}`]: [text] }; // an own key of the name __proto__ gets lost in pino
      log.warn({ work_item: text, nested }, text);
      expect(lines.join('')).not.toMatch(STEERING);
      const [read] = records();
      expect(read).toMatchObject(JSON.parse(JSON.stringify({ work_item: text, nested, msg: text })));
    }),
    { examples: [...HOSTILE, '__proto__'].map((text): [string] => [text]) },
  );
  const { log, lines } = captured();
  log.error({ err: new Error('\u001b[2J\u202e') }, 'it failed');
  expect(lines.join('')).not.toMatch(STEERING);
  expect(lines.join('')).toContain('\\u202e');
});

test('what is below the level is not written', () => {
  const { log, lines } = captured('warn');
  log.info('no');
  log.warn('yes');
  expect(lines).toHaveLength(1);
});

test.each(['apiKey', 'authorization', 'password', 'token'])('%s is never written out', (name) => {
  const { log, lines } = captured();
  log.info({ [name]: 's3cret', plane: { [name]: 's3cret' }, err: Object.assign(new Error('x'), { [name]: 's3cret' }) });
  expect(lines.join('')).not.toContain('s3cret');
  expect(lines.join('')).toContain('[Redacted]');
});

test('standard output is where it goes by default', async () => {
  const module = new URL('../../adapters/logging.ts', import.meta.url).href;
  const script = `import { createLogger } from ${JSON.stringify(module)}; createLogger('info').info('here');`;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--input-type', 'module', '--eval', script],
    { cwd: fileURLToPath(new URL('../../', import.meta.url)) },
  );
  expect(JSON.parse(stdout)).toMatchObject({ level: 'info', msg: 'here' });
  expect(stderr).toBe('');
});

test('the SDK’s logger: each of its levels, and its fields', () => {
  const { log, records } = captured();
  const sdk = temporalLogger(log);
  for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const) sdk[level](`by ${level}`, { n: 1 });
  for (const level of ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'] as const) sdk.log(level, `by ${level}`);
  const levels = ['trace', 'debug', 'info', 'warn', 'error'];
  expect(records()).toMatchObject([
    ...levels.map((level) => ({ level, msg: `by ${level}`, n: 1 })),
    ...levels.map((level) => ({ level, msg: `by ${level.toUpperCase()}` })),
  ]);
});

test('the SDK’s logger: an error is shown with its message and its stack', () => {
  const { log, records } = captured();
  temporalLogger(log).warn('a task failed', { error: new TypeError('why'), taskQueue: 'q' });
  expect(records()).toMatchObject([
    {
      level: 'warn',
      taskQueue: 'q',
      err: { type: 'TypeError', message: 'why', stack: expect.stringContaining('why') },
    },
  ]);
});
