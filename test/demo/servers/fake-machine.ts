import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FakeMachine {
  /** A PATH with the given tools and the system's own, a cache of its own, and no way out but a proxy that refuses. */
  readonly env: NodeJS.ProcessEnv;
  /** The cache of deploy-to-done on it. */
  readonly cache: string;
  /** What was said while provisioning. */
  readonly said: string[];
  readonly say: (line: string) => void;
  /** How often somebody tried to get out. */
  attempts(): number;
  path(...parts: string[]): string;
  /** An executable shell script. */
  script(path: string, body: string): Promise<string>;
  close(): Promise<void>;
}

/** A machine without network on which only the given tools are installed, as scripts of the shell. */
export async function fakeMachine(tools: Readonly<Record<string, string>> = {}): Promise<FakeMachine> {
  const root = await mkdtemp(join(tmpdir(), 'd2d-machine-'));
  let attempts = 0;
  const proxy = createServer((socket) => {
    attempts += 1;
    socket.destroy();
  });
  const proxyUrl = `http://127.0.0.1:${await listen(proxy)}`;
  const said: string[] = [];
  const script = async (path: string, body: string): Promise<string> => {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, `#!/bin/sh\n${body}\n`);
    await chmod(path, 0o755);
    return path;
  };
  for (const [name, body] of Object.entries(tools)) await script(join(root, 'bin', name), body);
  return {
    env: {
      PATH: join(root, 'bin'),
      HOME: root,
      XDG_CACHE_HOME: join(root, 'cache'),
      HTTPS_PROXY: proxyUrl,
      https_proxy: proxyUrl,
    },
    cache: join(root, 'cache', 'deploy-to-done'),
    said,
    say: (line) => void said.push(line),
    attempts: () => attempts,
    path: (...parts) => join(root, ...parts),
    script,
    async close() {
      await new Promise((resolve) => proxy.close(resolve));
      await rm(root, { recursive: true });
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
