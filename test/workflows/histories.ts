import { temporal } from '@temporalio/proto';

type History = temporal.api.history.v1.IHistory;

/** What a workflow's history costs: its events, and its bytes as the server keeps them. */
export const sizeOf = (history: History): { readonly events: number; readonly bytes: number } => ({
  events: history.events?.length ?? 0,
  bytes: temporal.api.history.v1.History.encode(history).finish().length,
});
