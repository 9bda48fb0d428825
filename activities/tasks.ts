import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { LastDeployed } from '../adapters/temporal/last-deployed.ts';
import { sameRepo, terminalStage } from '../decisions/index.ts';
import { howToEnd } from '../workflows/how-to-end.ts';
import { type Stopwatch, startStopwatch } from './stopwatch.ts';

export type { LastDeployed };

export interface Task {
  readonly repo: string;
  readonly workItem: string;
  readonly stage: string;
}

/** A task, and whether its window is active. */
export type TaskLook = Task & { readonly windowActive: boolean };

export interface TasksDeps {
  readonly tasks: {
    find(workItem: string): Promise<Task | null>;
    compareAndSetStage(workItem: string, from: string, to: string): Promise<boolean>;
    insert(task: Task): Promise<boolean>;
    findNamed(names: readonly string[]): Promise<readonly Task[]>;
  };
  /** Every name by which the tracker knows a work item, its key first; `null`: it does not know one, or does not show it. */
  readonly namesOf: (repo: string, workItem: string) => Promise<readonly string[] | null>;
  /** Deploys and windows of a repository that are under way, as the server's mutable state has them. */
  readonly runningOn: (repo: string) => Promise<readonly RunningOnRepository[]>;
  readonly windowActive: (repo: string, workItem: string) => Promise<boolean>;
  /** The deploy that took a task to `done` last; `null`: none is on record. */
  readonly lastDeployed: (repo: string, workItem: string) => Promise<LastDeployed | null>;
  readonly stopwatch?: Stopwatch;
}

export interface RunningOnRepository {
  readonly workflowId: string;
  readonly workItem: string;
  readonly type: string;
  readonly phase: string | null;
}

/** The stage of a task that is made for a work item which had none. */
const FIRST_STAGE = 'deploy';

/** How often a lost compare-and-set is tried again; each loss means that somebody else moved the task on meanwhile. */
const MAX_TRIES = 5;

/**
 * How long after it began an activity may still set a stage, ms. A worker that is silent for so long loses its activity to another
 * one; if it goes on afterwards, the task may have been set to done, and reopened, meanwhile.
 */
const SET_WITHIN_MS = 10_000;

/** Phases in which a deploy or window only has its status or comment to write. */
const OVER = new Set(['finished', 'closed']);

/** Phases in which a run does not hold its repository: a deploy that is watched is held by its window. */
const IDLE = new Set(['awaiting_approval', 'monitoring', 'finished', 'closed']);

/** What a deploy needs to know of the tasks. Each throws what Postgres or Temporal throw. */
export function createTaskActivities(deps: TasksDeps) {
  const { tasks, namesOf, runningOn, windowActive, lastDeployed, stopwatch = startStopwatch } = deps;

  /**
   * Returns whether the stage was still the one that was read.
   * @param age of the activity
   * @throws ApplicationFailure `DatabaseRefused` where the stage is unchanged and Postgres updated no row.
   */
  async function setStage({ workItem, stage }: Task, to: string, age: () => number): Promise<boolean> {
    if (age() > SET_WITHIN_MS)
      throw new Error(`setting the stage of ${workItem} took more than ${SET_WITHIN_MS / 1_000} s; trying again`);
    if (await tasks.compareAndSetStage(workItem, stage, to)) return true;
    if ((await tasks.find(workItem))?.stage !== stage) return false;
    throw ApplicationFailure.nonRetryable(
      `the update of tasks.stage of ${workItem} changed no row, although its stage is still ${stage.trim()}: a trigger or row-level security prevents it`,
      'DatabaseRefused',
    );
  }

  return {
    /** The task of a work item, and whether its window is active; `null` where there is none. */
    async lookAtTask({ workItem }: { readonly repo: string; readonly workItem: string }): Promise<TaskLook | null> {
      const task = await tasks.find(workItem);
      return task === null ? null : { ...task, windowActive: await windowActive(task.repo, workItem) };
    },

    /**
     * Makes the task of a work item that has none; where one is there by now, it stays as it is. A second name for one work item
     * would be a second lock, and get round the guard: the tracker is asked for all of its names first.
     * @throws ApplicationFailure `Refused`, and what the tracker and Postgres throw.
     */
    async createTask({ repo, workItem }: { readonly repo: string; readonly workItem: string }): Promise<void> {
      const names = await namesOf(repo, workItem);
      if (names === null)
        throw refusedTask(
          `the tracker does not know work item ${workItem}: correct its name, or the project of ${repo}`,
        );
      const other = (await tasks.findNamed(names)).find((task) => task.workItem !== workItem);
      if (other !== undefined)
        throw refusedTask(`${workItem} has a task already, by the name ${other.workItem}: start it by that one`);
      if (!names.includes(workItem)) throw refusedTask(`${workItem} must be named as ${names.join(' or ')}`);
      await tasks.insert({ repo, workItem, stage: FIRST_STAGE });
    },

    /**
     * Sets a task's stage to `done` by compare-and-set, from whatever stage it stands at that is not terminal. A task that
     * is done already counts as done: the attempt before may have set it and lost its answer.
     */
    async completeTask({ workItem }: { readonly workItem: string }): Promise<'done' | 'cancelled' | 'missing'> {
      const age = stopwatch();
      for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
        const task = await tasks.find(workItem);
        if (task === null) return 'missing';
        const terminal = terminalStage(task.stage);
        if (terminal !== null) return terminal;
        if (await setStage(task, 'done', age)) return 'done';
      }
      throw new Error(
        `tasks.stage of ${workItem} was changed by somebody else ${MAX_TRIES} times in a row; trying again`,
      );
    },

    /**
     * Sets a task that is done back to its first stage, by compare-and-set, while no deploy or window of it runs.
     * @throws ApplicationFailure `Refused`, and what Postgres and Temporal throw.
     */
    async reopenTask({ repo, workItem }: { readonly repo: string; readonly workItem: string }) {
      const age = stopwatch();
      const task = await tasks.find(workItem);
      if (task === null) throw refusedTask('it has no task');
      if (!sameRepo(task.repo, repo)) throw refusedTask(`its task belongs to repository ${task.repo}, not ${repo}`);
      const reopened = { repo: task.repo, stage: FIRST_STAGE };
      // The attempt before may have set it and lost its answer.
      if (task.stage === FIRST_STAGE && Context.current().info.attempt > 1) return reopened;
      if (terminalStage(task.stage) !== 'done')
        throw refusedTask(`only a done task can be reopened: this one is at stage ${task.stage.trim()}`);
      const own = (await runningOn(task.repo)).filter((run) => run.workItem === workItem && !OVER.has(run.phase ?? ''));
      const [first] = own;
      if (first !== undefined) throw refusedTask(whatKeeps(first, own));
      if (await setStage(task, FIRST_STAGE, age)) return reopened;
      throw new Error(`tasks.stage of ${workItem} was changed by somebody else; trying again`);
    },

    /** The deploy that took the task of a work item to `done` last; `null`: none is on record. */
    lastDeployed: ({ repo, workItem }: { readonly repo: string; readonly workItem: string }) =>
      lastDeployed(repo, workItem),

    /** Deploys and windows of a repository that are under way for other work items. */
    async otherRunsOn({ repo, workItem }: { readonly repo: string; readonly workItem: string }) {
      const running = await runningOn(repo);
      return running.filter((run) => run.workItem !== workItem && !IDLE.has(run.phase ?? ''));
    },
  };
}

/** Why a task cannot be reopened: what of its own runs. */
function whatKeeps(first: RunningOnRepository, own: readonly RunningOnRepository[]): string {
  const { workflowId, workItem, phase } = first;
  const watched = own.some(({ type }) => type === 'postDeployMonitor');
  return phase === 'monitoring' && !watched
    ? `the window is over, and ${workflowId} still writes or reads back its status: try it again in a minute; if this lasts, d2d status ${workItem} says why`
    : `${workflowId} is ${phase ?? 'running'}: wait for its end, or end it: ${howToEnd(first)}`;
}

const refusedTask = (why: string): ApplicationFailure => ApplicationFailure.nonRetryable(why, 'Refused');

export type TaskActivities = ReturnType<typeof createTaskActivities>;
