import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { logPath } from './artefact-path.ts';
import { renderPostDeployLog } from './render-post-deploy-log.ts';
import type { WindowReport } from './window-report.ts';

export interface PostDeployLogDeps {
  /** Made where it is missing. */
  readonly artefactsDir: string;
}

export function createPostDeployLog({ artefactsDir }: PostDeployLogDeps) {
  return {
    /**
     * Writes a window's log as a whole or not at all: whoever reads it meanwhile sees the one before, or this one.
     * @throws what the file system throws: a full disk, a folder that may not be written.
     */
    async writePostDeployLog(report: WindowReport): Promise<{ readonly path: string }> {
      const path = logPath(artefactsDir, report);
      await mkdir(dirname(path), { recursive: true });
      await writeFileAtomic(path, renderPostDeployLog(report));
      return { path };
    },
  };
}

export type PostDeployLog = ReturnType<typeof createPostDeployLog>;
