import { duration } from '../../workflows/duration.ts';

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
