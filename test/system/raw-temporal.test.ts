import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { eventually } from '../setup/eventually.ts';
import { type System, startSystem } from './harness.ts';
import { type Item, TO_DONE } from './item.ts';
import { RAW_COMMANDS, type RawCommand } from './raw-commands.ts';

// The `temporal` command line must do as well as d2d: the lines that the README shows, run by a shell against a running worker.

interface Run {
  readonly code: number;
  readonly output: string;
}

let commands: System;
let external: System;
beforeAll(async () => {
  // Open until a message ends it.
  const window = { seconds: 600, intervalSeconds: 1, confirmSeconds: 0.5, maxSeconds: 1_440 };
  [commands, external] = await Promise.all([
    startSystem({ repos: 8, window }),
    startSystem({ deploy: 'external', window }),
  ]);
  await Promise.all([commands.startWorker(), external.startWorker()]);
});
afterAll(async () => {
  await Promise.all([commands.close(), external.close()]);
});

let system: System;
let item: Item;
beforeEach(() => {
  system = commands;
});

/** Runs a line as it stands, but for the names of this test. In the output quotes within quotes read as quotes. */
function shell(line: string): Promise<Run> {
  const own = line
    .replaceAll('deploy-to-done', system.taskQueue)
    .replaceAll(/\bshop\b(?!-)/g, item.repo)
    .replaceAll('ORCH-61', item.workItem);
  const env = {
    PATH: `${dirname(inject('temporalCli'))}:${process.env['PATH'] ?? ''}`,
    HOME: '/nonexistent',
    TEMPORAL_ADDRESS: system.temporal.address,
  };
  return new Promise((resolve) => {
    execFile('sh', ['-c', own], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: (stdout + stderr).replaceAll('\\"', '"') });
    });
  });
}

const raw = (name: RawCommand): Promise<Run> => shell(RAW_COMMANDS[name]);

async function works(name: RawCommand): Promise<string> {
  const { code, output } = await raw(name);
  // What the server says where others hold the workflow, as on a busy machine: nothing has been sent.
  if (output.includes('Workflow is busy')) return works(name);
  expect(code, output).toBe(0);
  return output;
}

/** Starts a deploy by its raw line, approves it by its raw line, and waits until its window is open. */
async function watched(): Promise<void> {
  item = await system.addItem();
  await works('start');
  await works('approve');
  await item.untilTick(1);
}

test('start, a second start, approve, query and cancelWindow', async () => {
  item = await system.addItem();
  expect(await works('start')).toContain('WorkflowId');
  const second = await raw('start');
  expect(second.code).toBe(1);
  expect(second.output).toMatch(/already (running|started)/i);
  await eventually(async () => expect(await works('deployStatus')).toContain('awaiting_approval'));

  await works('approve');
  await item.untilTick(1);
  expect(await works('windowStatus')).toMatch(/"phase":\s*"open"/);
  await eventually(async () =>
    expect(await works('listOpenWindows')).toContain(`monitor/${item.repo}/${item.workItem}`),
  );
  const listed = await works('listOfWorkItem');
  const ofVersion = await works('listOfVersion');
  for (const kind of ['deploy', 'monitor']) {
    expect(listed).toContain(`${kind}/${item.repo}/${item.workItem}`);
    expect(ofVersion).toContain(`${kind}/${item.repo}/${item.workItem}`);
  }

  await works('cancelWindow');
  expect(await item.result()).toMatchObject({ outcome: 'window_cancelled' });
  expect(item.history()).toEqual(TO_DONE);
  expect(item.comments().join()).toContain('Ended by oncall: false alarm');
});

test('reject', async () => {
  item = await system.addItem();
  await works('start');
  await works('reject');
  expect(await item.result()).toEqual({ outcome: 'rejected', reason: 'rejected by oncall: not today' });
  expect(item.status()).toBe('In Progress');
});

test('extendWindow: the new end, or why it is refused; closeWindow: the report, or why it is refused', async () => {
  await watched();
  const { endsAt } = await item.windowStatus();
  expect(await works('extendWindow')).toContain(String(endsAt + 600_000));
  expect((await item.windowStatus()).endsAt).toBe(endsAt + 600_000);

  const beyond = await shell(RAW_COMMANDS.extendWindow.replace('"minutes": 10', '"minutes": 60'));
  expect(beyond.code).toBe(1);
  expect(beyond.output).toContain('the window may last 24 minutes at the most; extend it by 4 minutes or less');
  const none = await shell(RAW_COMMANDS.extendWindow.replace('"minutes": 10', '"minutes": "5"'));
  expect(none.code).toBe(1);
  expect(none.output).toContain('minutes must be a number greater than 0, got "5"');
  const nobody = await shell(RAW_COMMANDS.closeWindow.replace('"by": "oncall", ', ''));
  expect(nobody.code).toBe(1);
  expect(nobody.output).toContain('by must be a text that says who asks');
  expect((await item.windowStatus()).endsAt).toBe(endsAt + 600_000);

  expect(await works('closeWindow')).toMatch(/"outcome":\s*"closed_early"/);
  expect(await item.result()).toMatchObject({ outcome: 'closed_early' });
  const late = await raw('closeWindow');
  expect(late.code).toBe(1);
});

test('deployFinished, for a repository that others deploy', async () => {
  system = external;
  item = await system.addItem();
  await works('start');
  await item.untilShown('Awaiting Deploy');
  const early = await raw('deployFinished');
  expect(early.code).toBe(0); // a signal cannot answer: what was ignored shows in the status
  await eventually(async () =>
    expect(await works('deployStatus')).toContain(
      'the signal deployFinished was ignored: the deploy is not approved yet',
    ),
  );
  await works('approve');
  await item.untilShown('Deploying');
  await works('deployFinished');
  await item.untilShown('Monitoring after Deploy');
  await item.untilTick(1);
  await works('closeWindow');
  expect(await item.result()).toMatchObject({ outcome: 'closed_early' });
});

test('cancel of the run ends its window, too', async () => {
  await watched();
  await works('cancelRun');
  expect(await item.result()).toMatchObject({ outcome: 'window_cancelled' });
  expect(await item.stage()).toBe('done');
  expect(item.status()).toBe('Done');
});

test('a window that proves degraded is found by its verdict, and afterwards by its outcome', async () => {
  await watched();
  system.production.degrade(item.repo);
  await eventually(async () => expect(await works('listDegraded')).toContain(`monitor/${item.repo}/${item.workItem}`));
  await works('closeWindow');
  expect(await item.result()).toMatchObject({ outcome: 'degraded_alerted' });
  await eventually(async () => {
    const found = await works('listByOutcome');
    for (const kind of ['deploy', 'monitor']) expect(found).toContain(`${kind}/${item.repo}/${item.workItem}`);
  });
});

/** Payloads that are no command, and what the status of the window says of them. */
const GARBAGE: readonly (readonly [string, string])[] = [
  [`--input '42'`, 'its payload must be an object {by, reason}, got 42'],
  [`--input '["oncall"]'`, 'its payload must be an object {by, reason}, got ["oncall"]'],
  [`--input '{"by":7}'`, 'by and reason must be texts, got {"by":7}'],
  [`--input '{"by":"ki' --input-meta encoding=json/plain`, 'a payload that cannot be read'],
  [`--input 'AAEC' --input-meta encoding=binary/unheard-of`, 'a payload that cannot be read'],
];

test('garbage in signals is ignored, and shown in the status; the window goes on', async () => {
  await watched();
  const { tick } = await item.windowStatus();
  for (const [input] of GARBAGE) {
    const { code, output } = await shell(
      `temporal workflow signal --workflow-id monitor/shop/ORCH-61 --name cancelWindow ${input}`,
    );
    // The CLI itself refuses what is no JSON at all.
    if (code !== 0) expect(output).toContain('not valid JSON');
  }
  await shell(`temporal workflow signal --workflow-id monitor/shop/ORCH-61 --name selfDestruct --input '1'`);
  await item.untilTick(tick + 2);
  const status = await item.windowStatus();
  expect(status.phase).toBe('open');
  const notes = status.notes.map(({ text }) => text);
  for (const [, said] of [...GARBAGE.slice(0, 3), ...GARBAGE.slice(4)]) {
    expect(notes).toContainEqual(expect.stringContaining(`the signal cancelWindow was ignored: `));
    expect(notes.join('\n')).toContain(said);
  }
  expect(notes).toContain('the signal selfDestruct was ignored: a window takes cancelWindow');
  await shell(`temporal workflow signal --workflow-id deploy/shop/ORCH-61 --name approve --input '"yes"'`);
  await eventually(async () =>
    expect((await item.deployStatus()).notes.map(({ text }) => text).join('\n')).toContain(
      'the signal approve was ignored: its payload must be an object {by, reason}, got "yes"',
    ),
  );
  await works('cancelWindow');
  expect(await item.result()).toMatchObject({ outcome: 'window_cancelled' });
});

test('a start with garbage, or of a repository or work item that nobody knows, is refused with the reason', async () => {
  item = await system.addItem('without a task');
  const outcomeOf = async (id: string, input: string): Promise<string> => {
    const run = `temporal workflow execute --type deployToDone --task-queue deploy-to-done --workflow-id ${id} --input '${input}'`;
    return (await shell(run)).output;
  };
  expect(await outcomeOf(`deploy/${item.repo}/${item.workItem}`, '"shop"')).toContain(
    'the start must name a repository and a work item',
  );
  await eventually(async () => expect(await works('listRefused')).toContain(`deploy/${item.repo}/${item.workItem}`));
  expect(await outcomeOf('deploy/nope/ORCH-61', '{"repo":"nope","workItem":"ORCH-61"}')).toContain(
    'repository "nope" is not described in the settings (known: ',
  );
  expect(await outcomeOf('deploy/shop/ORCH-61', '{"repo":"shop","workItem":"ORCH-61"}')).toContain(
    `there is no task for work item ${item.workItem}; d2d start --create (createTask) makes one`,
  );
  expect(item.history()).toEqual([]);
});
