/**
 * The control object over HTTP, for another process on this machine: `POST /__sim/<name>` with a JSON array of its arguments
 * answers `{"result": ...}`. It is not part of Plane's API: no key, no rate limit, not logged, loopback only.
 */
import { z } from 'zod';
import type { Control } from './control.ts';
import { FaultRule } from './faults.ts';

const Text = z.string();
const Group = z.enum(['backlog', 'unstarted', 'started', 'completed', 'cancelled']);
const Role = z.union([z.literal(5), z.literal(15), z.literal(20)]);
const KeyState = z.enum(['valid', 'expired', 'revoked']);
const Seed = z.object({
  workspace: Text,
  users: z.array(z.object({ displayName: Text, key: z.exactOptional(Text), role: Role.nullable() })),
  projects: z.array(
    z.object({
      identifier: Text,
      name: Text,
      states: z.exactOptional(z.array(z.object({ name: Text, group: Group, color: Text }))),
      workItems: z.exactOptional(
        z.array(
          z.object({
            name: Text,
            number: z.exactOptional(z.number().int()),
            state: z.exactOptional(Text),
            priority: z.exactOptional(Text),
            archived: z.exactOptional(z.boolean()),
          }),
        ),
      ),
    }),
  ),
});

type Command = (control: Control, args: unknown) => unknown;

/** A command whose arguments are checked before it runs. */
const command =
  <Arguments>(schema: z.ZodType<Arguments>, run: (control: Control, args: Arguments) => unknown): Command =>
  (control, args) =>
    run(control, schema.parse(args));

const NOTHING = z.tuple([]);
const ONE_TEXT = z.tuple([Text]);
const CHANGE = z.tuple([Text, Text, Text.optional()]);

const COMMANDS: Readonly<Record<keyof Control, Command>> = {
  reset: command(z.tuple([Seed]), (control, [seed]) => control.reset(seed)),
  addProject: command(
    z.tuple([z.object({ identifier: Text, name: Text, workspace: Text, owner: Text })]),
    (control, [project]) => control.addProject(project),
  ),
  addState: command(
    z.tuple([Text, z.object({ name: Text, group: Group, color: z.exactOptional(Text) })]),
    (control, [project, state]) => control.addState(project, state),
  ),
  addWorkItem: command(
    z.tuple([
      z.object({
        project: Text,
        name: Text,
        state: z.exactOptional(Text),
        number: z.exactOptional(z.number().int()),
        priority: z.exactOptional(Text),
      }),
    ]),
    (control, [item]) => control.addWorkItem(item),
  ),
  addUser: command(z.tuple([z.object({ displayName: Text, workspaces: z.array(Text) })]), (control, [user]) =>
    control.addUser(user),
  ),
  addMember: command(z.tuple([Text, Text, Role]), (control, [project, name, role]) =>
    control.addMember(project, name, role),
  ),
  addKey: command(
    z.tuple([
      z.object({
        token: Text,
        displayName: Text,
        state: z.exactOptional(KeyState),
        service: z.exactOptional(z.boolean()),
      }),
    ]),
    (control, [key]) => control.addKey(key),
  ),
  revokeKey: command(ONE_TEXT, (control, [token]) => control.revokeKey(token)),
  restoreKey: command(ONE_TEXT, (control, [token]) => control.restoreKey(token)),
  workItem: command(ONE_TEXT, (control, [key]) => control.workItem(key)),
  statusHistory: command(ONE_TEXT, (control, [key]) => control.statusHistory(key)),
  requests: command(NOTHING, (control) => control.requests()),
  clearRequests: command(NOTHING, (control) => control.clearRequests()),
  uiSetState: command(CHANGE, (control, [key, state, by]) => control.uiSetState(key, state, by)),
  uiRename: command(CHANGE, (control, [key, name, by]) => control.uiRename(key, name, by)),
  archive: command(ONE_TEXT, (control, [key]) => control.archive(key)),
  deleteWorkItem: command(ONE_TEXT, (control, [key]) => control.deleteWorkItem(key)),
  renameState: command(z.tuple([Text, Text, Text]), (control, [project, from, to]) =>
    control.renameState(project, from, to),
  ),
  deleteState: command(z.tuple([Text, Text]), (control, [project, name]) => control.deleteState(project, name)),
  fault: command(z.tuple([FaultRule]), (control, [rule]) => control.fault(rule)),
  clearFaults: command(NOTHING, (control) => control.clearFaults()),
  held: command(NOTHING, (control) => control.held()),
  whenHeld: command(z.tuple([z.number().int()]), (control, [count]) => control.whenHeld(count)),
  release: command(z.tuple([z.number().int().optional()]), (control, [count]) => control.release(count)),
  setRateLimit: command(z.tuple([z.number().int().nullable(), z.number().optional()]), (control, [limit, windowMs]) =>
    control.setRateLimit(limit, windowMs),
  ),
  setWebhook: command(
    z.tuple([
      z.object({ url: z.url(), secret: z.string(), copies: z.number().int().min(1).exactOptional() }).nullable(),
    ]),
    (control, [webhook]) => control.setWebhook(webhook),
  ),
  holdJobs: command(NOTHING, (control) => control.holdJobs()),
  resumeJobs: command(NOTHING, (control) => control.resumeJobs()),
  settleJobs: command(NOTHING, (control) => control.settleJobs()),
  refuseConnections: command(z.tuple([z.number()]), (control, [ms]) => control.refuseConnections(ms)),
  acceptConnections: command(NOTHING, (control) => control.acceptConnections()),
};

/** Never throws: 404 for an unknown command, 400 for arguments that do not fit or name nothing that is there. */
export async function runCommand(
  control: Control,
  name: string,
  body: string,
): Promise<{ status: number; body: object }> {
  const found = Object.entries(COMMANDS).find(([known]) => known === name)?.[1];
  if (found === undefined)
    return { status: 404, body: { error: `no such command; there are ${Object.keys(COMMANDS).join(', ')}` } };
  try {
    const result = await found(control, body.trim() === '' ? [] : JSON.parse(body));
    return { status: 200, body: { result: result ?? null } };
  } catch (error) {
    const message =
      error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : String(error);
    return { status: 400, body: { error: message } };
  }
}

export const COMMAND_NAMES = Object.keys(COMMANDS);
