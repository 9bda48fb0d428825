import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import writeFileAtomic from 'write-file-atomic';
import { messageOf } from '../adapters/error-message.ts';
import { logPath } from './artefact-path.ts';
import { renderPostDeployLog } from './render-post-deploy-log.ts';
import type { WindowReport } from './window-report.ts';

export interface PostDeployLogDeps {
  /** Made where it is missing. */
  readonly artefactsDir: string;
}

/** What no later try changes; a disk that is full or away may come back. */
const PERMANENT = new Set(['EACCES', 'EEXIST', 'ENAMETOOLONG', 'ENOTDIR', 'EPERM', 'EROFS']);

export function createPostDeployLog({ artefactsDir }: PostDeployLogDeps) {
  return {
    /**
     * Writes a window's log as a whole or not at all: whoever reads it meanwhile sees the one before, or this one.
     * @throws what the file system throws, such as a full disk; ApplicationFailure `LogRefused` where the folder cannot be written.
     */
    async writePostDeployLog(report: WindowReport): Promise<{ readonly path: string }> {
      const path = logPath(artefactsDir, report);
      try {
        await mkdir(dirname(path), { recursive: true });
        await writeFileAtomic(path, renderPostDeployLog(report));
        return { path };
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && PERMANENT.has(String(error.code)))) throw error;
        const why = `${messageOf(error)}: check ORCH_ARTEFACTS_DIR`;
        throw ApplicationFailure.create({ type: 'LogRefused', message: why, nonRetryable: true, cause: error });
      }
    },
  };
}

export type PostDeployLog = ReturnType<typeof createPostDeployLog>;
