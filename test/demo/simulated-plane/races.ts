/**
 * The recordings that sum up many rounds of a race. Here each round is made to happen: requests are held between their load and
 * their save, and let go in the recorded order.
 */
import { z } from 'zod';
import { patch, stateId } from './interludes.ts';
import type { Replay } from './replay.ts';

const KEY = 'ORCH-4';
const StatePatches = z.object({
  rounds: z.array(z.object({ final: z.object({ state: z.string() }) })),
  last_activities: z.array(z.object({ old_value: z.string() })),
});
const StateAndName = z.object({
  rounds: z.array(z.object({ final: z.object({ state: z.string(), name: z.string() }), lost_update: z.boolean() })),
});
const SameComment = z.object({ statuses: z.array(z.number()), comments_present: z.number() });

/** Two changes at once, both loaded before either is saved; the second saves last. */
async function together(replay: Replay, first: object, second: object): Promise<number[]> {
  const { control } = replay.plane;
  control.fault({ mode: 'hold', phase: 'midway', match: { method: 'PATCH', times: 2 } });
  const one = patch(replay, KEY, first);
  await control.whenHeld(1);
  const two = patch(replay, KEY, second);
  await control.whenHeld(2);
  control.release(1);
  const early = await one;
  control.release();
  const late = await two;
  control.clearFaults();
  control.settleJobs();
  return [early, late];
}

async function statePatches(replay: Replay, raw: unknown): Promise<string[]> {
  const { rounds, last_activities } = StatePatches.parse(raw);
  const { control } = replay.plane;
  const faults: string[] = [];
  for (const { final } of rounds) {
    await patch(replay, KEY, { state: stateId(replay, KEY, 'Awaiting Deploy') });
    const loser = final.state === 'Cancelled' ? 'Deploying' : 'Cancelled';
    const statuses = await together(
      replay,
      { state: stateId(replay, KEY, loser) },
      { state: stateId(replay, KEY, final.state) },
    );
    if (statuses.join() !== '200,200') faults.push(`statuses ${statuses}`);
    if (control.workItem(KEY).state !== final.state)
      faults.push(`ended in ${control.workItem(KEY).state}, recorded ${final.state}`);
  }
  const moves = replay.plane
    .snapshot()
    .activities.filter(({ issue }) => issue === control.workItem(KEY).id)
    .slice(-2);
  const expected = last_activities.slice(0, 2).map((row) => row.old_value);
  if (moves.map((row) => row.old_value).join() !== expected.join())
    faults.push('old values of the last activities differ');
  return faults;
}

async function stateAndName(replay: Replay, raw: unknown): Promise<string[]> {
  const { rounds } = StateAndName.parse(raw);
  const { control } = replay.plane;
  const faults: string[] = [];
  for (const [index, { final, lost_update }] of rounds.entries()) {
    await patch(replay, KEY, { state: stateId(replay, KEY, 'Awaiting Deploy'), name: 'base' });
    const move = { state: stateId(replay, KEY, 'Deploying') };
    const rename = { name: `renamed ${index}` };
    const [first, last] = final.name === 'base' ? [rename, move] : [move, rename];
    const statuses = lost_update
      ? await together(replay, first, last)
      : [await patch(replay, KEY, move), await patch(replay, KEY, rename)];
    if (statuses.join() !== '200,200') faults.push(`statuses ${statuses}`);
    const { state, name } = control.workItem(KEY);
    if (state !== final.state || name !== final.name)
      faults.push(`round ${index}: ${state}, ${name}; recorded ${final.state}, ${final.name}`);
  }
  return faults;
}

async function sameComment(replay: Replay, raw: unknown): Promise<string[]> {
  const { statuses, comments_present } = SameComment.parse(raw);
  const { control } = replay.plane;
  const { id, projectId } = control.workItem(KEY);
  const post = async (): Promise<number> => {
    const body = { comment_html: '<p>race</p>', external_id: 'race-1', external_source: 'orchestrator' };
    return (await replay.send('POST', `/api/v1/workspaces/acme/projects/${projectId}/work-items/${id}/comments/`, body))
      .status;
  };
  control.fault({ mode: 'hold', phase: 'midway', match: { method: 'POST', times: comments_present } });
  const early = Array.from({ length: comments_present }, post);
  await control.whenHeld(comments_present);
  control.release();
  const seen = await Promise.all(early);
  while (seen.length < statuses.length) seen.push(await post());
  const stored = control.workItem(KEY).comments.filter(({ externalId }) => externalId === 'race-1').length;
  control.clearFaults();
  return [
    ...(seen.join() === statuses.join() ? [] : [`statuses ${seen}, recorded ${statuses}`]),
    ...(stored === comments_present ? [] : [`${stored} comments, recorded ${comments_present}`]),
  ];
}

export const RACES: Readonly<Record<string, (replay: Replay, raw: unknown) => Promise<string[]>>> = {
  '600-race-two-state-patches': statePatches,
  '601-race-state-vs-name': stateAndName,
  '603-race-comment-same-external-id': sameComment,
};
