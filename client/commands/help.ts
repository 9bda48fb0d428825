import type { Command } from '@commander-js/extra-typings';
import { refused } from '../errors.ts';
import { EXIT_CODE_TABLE } from '../exit-codes.ts';
import type { CommandContext } from './context.ts';

const JSON_SHAPES = `Every command takes --json: one JSON value a line on stdout, times in epoch milliseconds.

start            {repo, workItem, workflowId, runId, outcome, reason}   outcome null: it goes on
approve, reject  {repo, workItem, workflowId, runId, decision, by, reason, takenUp}
finished         {repo, workItem, workflowId, runId, ok, version, by, detail, takenUp}
resolve          {repo, workItem, workflowId, runId, deployed, version, by, reason, takenUp}
status, watch    {workItem, deploy: {execution, status, result, unanswered} | null,
                  window: {execution, status, unanswered} | null}       watch: a line for each change
list             {executions: [execution + {window: {tick, plannedTicks, endsAt, outcome} | null,
                  unanswered}], more}
cancel           {repo, workItem, workflowId, runId, what, by, reason, takenUp, tick, plannedTicks, outcome}
extend           {repo, workItem, workflowId, runId, by, reason, minutes, endsAt}
reopen           {repo, workItem, workflowId, runId, by, reason, stage}
close            {repo, workItem, workflowId, runId, report, logPath}
explain          {workItem, task, wishes: [{at, answeredAt, failed, workflowType, workflowId, caller, reason, wanted, evidence, verdict,
                  shown, wrote, attempts, failure, earlier: [{at, evidence, verdict, sent, answer}]}], more}
settings         {settings: [{name, value, source, help, type, default}], repositories: [{name, value, source}],
                  inForce: [{repo, watched, guarded, approval, action, windowSeconds}], faults, warnings}
doctor           {ok, checks: [{name, level, message}]}
migrate          {ran: [name]}
reconcile        {dryRun, looked, inDeployPhase, drifted, healed, putOff, failed, unread: [{project, why}],
                  healings: [{repo, workItem, shown, wanted, result, detail}],
                  failing: [{workflowId, why}] | null,
                  orphaned: [{repo, workItem, shown, stage}] | null, projects, beginWith}
schedule apply   {applied, scheduleId, everySeconds}

execution        {kind, repo, workItem, workflowId, runId, taskQueue, running, status, phase, verdict,
                  outcome, version, startedAt, closedAt}
deploy.status    the answer of the query deployStatus, window.status that of windowStatus; null where no worker answers
unanswered       why no worker answers, in words, or null
takenUp          false: no worker has taken the message up yet; it is kept

On stderr: {"error": {"message", "hint"}} where a command fails, {"note"} for what is worth knowing.`;

/** The exit codes, as `d2d help exit-codes` shows them. */
export const exitCodesHelp = (): string =>
  EXIT_CODE_TABLE.map(
    ({ code, meaning, outcomes }) =>
      `${String(code).padStart(3)}  ${meaning}${outcomes.length === 0 ? '' : `\n     outcomes: ${outcomes.join(', ')}`}`,
  ).join('\n');

/** `help [topic]`: a command, `exit-codes` or `json`. */
export function addHelp(program: Command, { output }: CommandContext): void {
  const topics = new Map([
    ['exit-codes', exitCodesHelp],
    ['json', () => JSON_SHAPES],
  ]);
  program.helpCommand(false);
  program
    .command('help')
    .description('help on a command, on exit-codes or on json')
    .argument('[topic]', 'a command, exit-codes or json')
    .action((topic) => {
      const text = topics.get(topic ?? '');
      if (text !== undefined) return output().result(text(), { help: text() });
      const command = topic === undefined ? program : program.commands.find((each) => each.name() === topic);
      if (command === undefined) throw refused(`there is no help on ${topic}`, 'd2d help lists the commands');
      command.outputHelp();
    });
}
