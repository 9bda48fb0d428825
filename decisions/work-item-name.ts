/** The names that Plane knows a work item by: its key, such as ORCH-61, in letters of any script that can be seen, or its UUID. */
export const WORK_ITEM_PATTERN =
  /^(?:(?!.*\p{Default_Ignorable_Code_Point})[\p{L}\p{N}_]{1,100}-\d{1,9}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/iu;

/** Why a text names no work item, as a sentence; `null`: it does. */
export const workItemFault = (workItem: string): string | null =>
  WORK_ITEM_PATTERN.test(workItem)
    ? null
    : `workItem must be a key such as ORCH-61 (letters, digits and _, then - and a number) or a UUID, got ${JSON.stringify(workItem.slice(0, 80))}`;
