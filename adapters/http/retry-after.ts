/** What a `Retry-After` asks for, ms from now: whole seconds, or an HTTP date. `null`: nothing that is understood. */
export function retryAfter(value: string | null, now: number): number | null {
  const text = value?.trim() ?? '';
  const asked = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(asked) ? null : asked;
}
