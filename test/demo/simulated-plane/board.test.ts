import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { remoteControl } from '../../../demo/simulated-plane/remote-control.ts';
import { startSimulatedPlane } from '../../../demo/simulated-plane/simulated-plane.ts';

const MAIN = new URL('../../../demo/simulated-plane/main.ts', import.meta.url).pathname;

test('the board shows every state in order, the items with key, name and last comments, and escapes all of it', async () => {
  const plane = await startSimulatedPlane();
  onTestFinished(() => plane.close());
  const { id, projectId } = plane.control.workItem('ORCH-61');
  for (const text of ['first', '<script>alert(1)</script>second &amp; <b>third</b>']) {
    const response = await fetch(
      `${plane.url}/api/v1/workspaces/acme/projects/${projectId}/work-items/${id}/comments/`,
      {
        method: 'POST',
        headers: { 'x-api-key': plane.apiKey, 'content-type': 'application/json' },
        body: JSON.stringify({ comment_html: `<p>${text}</p>` }),
      },
    );
    expect(response.status).toBe(201);
  }
  plane.control.uiSetState('ORCH-61', 'Deploying');
  const response = await fetch(plane.url);
  const page = await response.text();
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const columns = [...page.matchAll(/<h3><i><\/i>(.*?) <small>(\d+)/g)].map(([, name, count]) => `${name} ${count}`);
  expect(columns.slice(0, 8)).toEqual([
    'Backlog 1',
    'Todo 1',
    'In Progress 1',
    'Done 0',
    'Cancelled 0',
    'Awaiting Deploy 0',
    'Deploying 1',
    'Monitoring after Deploy 0',
  ]);
  expect(page).toContain('Zażółć — &quot;quoted&quot; &amp; &lt;tagged&gt;');
  expect(page).toContain('1 move · 2 comments');
  expect(page).toContain('<b>deploy-bot</b> alert(1)second &amp; third');
  expect(page).not.toContain('<script');
  expect(page).not.toContain('Drop the legacy scheduler');
  expect(plane.control.requests()).toHaveLength(2);
});

/** The program as a process: its first line, and its end with exit code and what it said. */
function run(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const ended = new Promise<{ code: number | null; errors: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, errors })),
  );
  const firstLine = new Promise<{ url: string }>((resolve) =>
    createInterface(child.stdout).once('line', (line) => resolve(JSON.parse(line))),
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, ended, firstLine };
}

test('as a process it prints its address as one JSON line, keeps its state in a file, and ends on SIGTERM', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'simulated-plane-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const state = join(folder, 'plane.json');
  const first = run('--port', '0', '--state', state);
  const address = await first.firstLine;
  expect(address).toEqual({
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    apiKey: 'plane_api_simulated',
    workspace: 'acme',
  });
  await remoteControl(address.url).uiSetState('ORCH-61', 'Deploying');
  first.child.kill('SIGTERM');
  expect(await first.ended).toEqual({ code: 0, errors: '' });

  const second = run('--state', state);
  const { url } = await second.firstLine;
  expect(await remoteControl(url).statusHistory('ORCH-61')).toMatchObject([{ to: 'Deploying' }]);
  second.child.kill('SIGINT');
  expect(await second.ended).toEqual({ code: 0, errors: '' });
});

test('a bad port is refused with what is accepted', async () => {
  expect(await run('--port', 'http').ended).toEqual({
    code: 2,
    errors: '--port must be a whole number within 0..65535, got "http"\n',
  });
});
