import { z } from 'zod';

const Operation = z.object({
  kind: z.enum(['deploy', 'rollback']),
  /** Names what is done once, however often it is asked for. */
  operationId: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  effect: z.enum(['pending', 'switched', 'had happened already', 'failed']),
});

/** What production tells of itself; the demo's authority on what was really done there. */
export const ProductionState = z.object({
  /** The release that runs. */
  version: z.string(),
  /** Of its process. */
  pid: z.number(),
  previous: z.string().nullable(),
  healthRequests: z.number(),
  heldHealthAnswers: z.number(),
  heldRollbacks: z.number(),
  /** One for each run of a script, oldest first. */
  operations: z.array(Operation),
});

export type ProductionState = z.infer<typeof ProductionState>;
export type Operation = z.infer<typeof Operation>;
export type OperationKind = Operation['kind'];
