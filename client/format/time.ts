/** `45 s`, `4 min 5 s`, `2 h 5 min`, `3 d 2 h`; never negative. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return pair(days, 'd', hours % 24, 'h');
  if (hours > 0) return pair(hours, 'h', minutes % 60, 'min');
  if (minutes > 0) return pair(minutes, 'min', seconds % 60, 's');
  return `${seconds} s`;
}

const pair = (big: number, bigUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;

/** `12:04:09Z`: UTC, as in the Temporal UI's details and in the post-deploy log. */
export const clock = (at: number): string => `${new Date(at).toISOString().slice(11, 19)}Z`;

/** The same with the day, where it is another one than today. */
export const moment = (at: number, now: number): string => {
  const day = new Date(at).toISOString().slice(0, 10);
  return day === new Date(now).toISOString().slice(0, 10) ? clock(at) : `${day} ${clock(at)}`;
};

/** `in 4 min`, `4 min ago`. */
export const relative = (at: number, now: number): string =>
  at >= now ? `in ${duration(at - now)}` : `${duration(now - at)} ago`;
