/** What is said of anything thrown. Never throws for an `Error`. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
