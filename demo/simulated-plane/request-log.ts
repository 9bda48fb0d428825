/** What was asked of the simulated Plane. The API key is not kept. */
export interface LoggedRequest {
  /** Epoch ms. */
  readonly at: number;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** The request's body as text; empty for none. */
  readonly body: string;
  /** Display name of the key's user; null before that was known. */
  by: string | null;
  /** null while unanswered, and for ever where no answer was sent (reset, hang). */
  status: number | null;
  /** True where something was written. */
  applied: boolean;
  /** The mode of the fault that met it. */
  fault: string | null;
}
