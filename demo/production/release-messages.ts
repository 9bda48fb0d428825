import { z } from 'zod';

// What a host and its release say to each other over their channel.

export const Order = z.enum(['degrade', 'hold the next health answer']);
export type Order = z.infer<typeof Order>;

/** An order is said back once it is obeyed. */
export const Report = z.enum(['serves', 'asked for health', 'holds an answer', ...Order.options]);
export type Report = z.infer<typeof Report>;
