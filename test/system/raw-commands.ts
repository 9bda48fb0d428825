/**
 * The command lines of Temporal's own CLI that do what `d2d` does, as the README shows them: for the repository `shop`, the
 * work item `ORCH-61` and the task queue `deploy-to-done`. raw-temporal.test.ts runs each of them. Without `--fail-existing` the
 * CLI takes a run that is there already for a success; the answer to an update is readable as JSON only.
 */
export const RAW_COMMANDS = {
  start: `temporal workflow start --type deployToDone --task-queue deploy-to-done --workflow-id deploy/shop/ORCH-61 --task-timeout 5s --fail-existing --input '{"repo": "shop", "workItem": "ORCH-61", "version": "v2", "approval": "required"}'`,
  approve: `temporal workflow signal --workflow-id deploy/shop/ORCH-61 --name approve --input '{"by": "oncall", "reason": "looks good"}'`,
  reject: `temporal workflow signal --workflow-id deploy/shop/ORCH-61 --name reject --input '{"by": "oncall", "reason": "not today"}'`,
  deployFinished: `temporal workflow signal --workflow-id deploy/shop/ORCH-61 --name deployFinished --input '{"ok": true, "version": "v2", "by": "ci"}'`,
  deployStatus: `temporal workflow query --workflow-id deploy/shop/ORCH-61 --type deployStatus`,
  windowStatus: `temporal workflow query --workflow-id monitor/shop/ORCH-61 --type windowStatus`,
  extendWindow: `temporal workflow update execute --workflow-id monitor/shop/ORCH-61 --name extendWindow --input '{"by": "oncall", "reason": "traffic comes at noon", "minutes": 10}' --output json`,
  closeWindow: `temporal workflow update execute --workflow-id monitor/shop/ORCH-61 --name closeWindow --input '{"by": "oncall", "reason": "seen enough"}' --output json`,
  cancelWindow: `temporal workflow signal --workflow-id monitor/shop/ORCH-61 --name cancelWindow --input '{"by": "oncall", "reason": "false alarm"}'`,
  cancelRun: `temporal workflow cancel --workflow-id deploy/shop/ORCH-61`,
  listOpenWindows: `temporal workflow list --query "WorkflowType = 'postDeployMonitor' AND D2dRepo = 'shop' AND ExecutionStatus = 'Running'"`,
  listOfWorkItem: `temporal workflow list --query "D2dRepo = 'shop' AND D2dWorkItem = 'ORCH-61'"`,
  listByOutcome: `temporal workflow list --query "D2dRepo = 'shop' AND D2dOutcome = 'degraded_alerted' AND StartTime > '2026-01-01T00:00:00Z'"`,
  listOfVersion: `temporal workflow list --query "D2dRepo = 'shop' AND D2dVersion = 'v2'"`,
  listDegraded: `temporal workflow list --query "D2dVerdict = 'DEGRADED' AND D2dPhase != 'closed'"`,
  listRefused: `temporal workflow list --query "WorkflowId = 'deploy/shop/ORCH-61' AND D2dOutcome = 'refused'"`,
} as const;

export type RawCommand = keyof typeof RAW_COMMANDS;
