import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { z } from 'zod';
import { type Made, tried } from './made.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder with the compiled project, as `npm run build` makes it. */
    dist: Made;
  }
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const Compiled = z.object({ include: z.array(z.string()) });

/** Builds `dist/`, but only where a source is newer than the last thing that a build makes. */
export default async function setup(project: TestProject): Promise<void> {
  project.provide('dist', await tried(build()));
}

async function build(): Promise<string> {
  const dist = join(ROOT, 'dist');
  const built = await changed(join(dist, 'workflow-bundle.js')).catch(() => 0);
  const { include } = Compiled.parse(JSON.parse(await readFile(join(ROOT, 'tsconfig.build.json'), 'utf8')));
  const newest = Math.max(...(await Promise.all(include.map((source) => newestIn(join(ROOT, source))))));
  if (newest > built) {
    await promisify(execFile)('npm', ['run', '--silent', 'build'], { cwd: ROOT }).catch((error: unknown) => {
      throw new Error(`npm run build failed:\n${said(error)}`, { cause: error });
    });
  }
  return dist;
}

const changed = async (path: string): Promise<number> => (await stat(path)).mtimeMs;

async function newestIn(path: string): Promise<number> {
  if (!(await stat(path)).isDirectory()) return changed(path);
  const files = (await readdir(path, { recursive: true })).filter((file) => /\.(ts|sql|json)$/.test(file));
  return Math.max(0, ...(await Promise.all(files.map((file) => changed(join(path, file))))));
}

const Outputs = z.object({ stdout: z.string(), stderr: z.string() });

/** The compiler writes to stdout, the bundler to stderr. */
function said(error: unknown): string {
  const { success, data } = Outputs.safeParse(error);
  return success ? `${data.stdout}\n${data.stderr}`.trim() : String(error);
}
