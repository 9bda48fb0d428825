import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the programs run: no .env of the user's is read there. */
export const PROGRAM_FOLDER = fileURLToPath(new URL('./', import.meta.url));

/**
 * What Node is to be given to run a module of this project as a process of its own. `name` is its path from the root, without
 * extension: the compiled module where this one is compiled, else the source (in tests).
 */
export function program(name: string): string[] {
  const extension = extname(fileURLToPath(import.meta.url));
  const path = fileURLToPath(new URL(`../${name}${extension}`, import.meta.url));
  // No --enable-source-maps: Node would read the source maps of all dependencies, 0.4 s of CPU per worker.
  return extension === '.ts' ? ['--import', 'tsx', path] : [path];
}
