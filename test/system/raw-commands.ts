/**
 * The command lines of Temporal's own CLI that do what `d2d` does, as the README shows them: for the repository `shop`, the
 * work item `ORCH-61` and the task queue `deploy-to-done`. raw-temporal.test.ts runs each of them. The answer to an update is
 * readable as JSON only.
 */
export const RAW_COMMANDS = {
  /** Without `--fail-existing` the CLI takes a run that is there already for a success. The task time-out lets a killed worker be noticed soon. */
  start: `temporal workflow start --type deployToDone --task-queue deploy-to-done --task-timeout 5s --workflow-id deploy/shop/ORCH-61 --fail-existing --input '{"repo":"shop","workItem":"ORCH-61","version":"v2","approval":"required"}'`,
  approve: `temporal workflow signal --workflow-id deploy/shop/ORCH-61 --name approve --input '{"by":"kim","reason":"looks good"}'`,
  reject: `temporal workflow signal --workflow-id deploy/shop/ORCH-61 --name reject --input '{"by":"kim","reason":"not today"}'`,
  deployFinished: `temporal workflow signal --workflow-id deploy/shop/ORCH-61 --name deployFinished --input '{"ok":true,"version":"v2","by":"ci"}'`,
  deployStatus: `temporal workflow query --workflow-id deploy/shop/ORCH-61 --type deployStatus`,
  windowStatus: `temporal workflow query --workflow-id monitor/shop/ORCH-61 --type windowStatus`,
  extendWindow: `temporal workflow update execute --workflow-id monitor/shop/ORCH-61 --name extendWindow --input '{"by":"kim","reason":"traffic is low","minutes":5}' --output json`,
  closeWindow: `temporal workflow update execute --workflow-id monitor/shop/ORCH-61 --name closeWindow --input '{"by":"kim","reason":"seen enough"}' --output json`,
  cancelWindow: `temporal workflow signal --workflow-id monitor/shop/ORCH-61 --name cancelWindow --input '{"by":"kim","reason":"false alarm"}'`,
  cancelRun: `temporal workflow cancel --workflow-id deploy/shop/ORCH-61`,
  listOpenWindows: `temporal workflow list --query 'WorkflowType = "postDeployMonitor" AND D2dPhase = "open"'`,
  listOfWorkItem: `temporal workflow list --query 'D2dWorkItem = "ORCH-61" AND D2dRepo = "shop"'`,
  listDegraded: `temporal workflow list --query 'D2dVerdict = "DEGRADED"'`,
} as const;

export type RawCommand = keyof typeof RAW_COMMANDS;
