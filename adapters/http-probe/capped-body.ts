/** A body as far as it was read. */
export interface CappedBody {
  readonly text: string;
  /** `false`: it is longer than the cap. */
  readonly complete: boolean;
}

/**
 * Reads a body up to a cap and lets go of the rest. `AsyncIterable` is what undici's bodies are: leaving the loop early
 * destroys the connection.
 * @throws what the connection throws.
 */
export async function readCapped(body: AsyncIterable<unknown>, maxBytes: number): Promise<CappedBody> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk instanceof Uint8Array ? chunk : String(chunk));
    size += bytes.length;
    if (size > maxBytes) {
      chunks.push(bytes.subarray(0, bytes.length - (size - maxBytes)));
      return { text: Buffer.concat(chunks).toString('utf8'), complete: false };
    }
    chunks.push(bytes);
  }
  return { text: Buffer.concat(chunks).toString('utf8'), complete: true };
}
