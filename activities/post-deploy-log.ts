import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Context } from '@temporalio/activity';
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
     * Writes a window's log as a whole or not at all. One that is there and says something else stays: the window was reset, and
     * this log goes beside it, in a folder with the id of its run.
     * @throws what the file system throws, such as a full disk; ApplicationFailure `LogRefused` where the folder cannot be written.
     */
    async writePostDeployLog(report: WindowReport): Promise<{ readonly path: string }> {
      const text = renderPostDeployLog(report);
      try {
        const own = logPath(artefactsDir, report);
        const { runId } = Context.current().info.workflowExecution ?? {};
        const path = (await saysOtherwise(own, text)) ? logPath(artefactsDir, report, runId) : own;
        await mkdir(dirname(path), { recursive: true });
        await writeFileAtomic(path, text);
        return { path };
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && PERMANENT.has(String(error.code)))) throw error;
        const why = `${messageOf(error)}: check ORCH_ARTEFACTS_DIR`;
        throw ApplicationFailure.create({ type: 'LogRefused', message: why, nonRetryable: true, cause: error });
      }
    },
  };
}

async function saysOtherwise(path: string, text: string): Promise<boolean> {
  try {
    return (await readFile(path, 'utf8')) !== text;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

export type PostDeployLog = ReturnType<typeof createPostDeployLog>;
