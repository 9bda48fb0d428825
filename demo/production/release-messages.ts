import { z } from 'zod';

// What a host and its release say to each other over their channel.

export const Order = z.enum(['degrade', 'hold the next health answer']);
export type Order = z.infer<typeof Order>;

export const Report = z.enum(['serves', 'asked for health', 'holds an answer']);
export type Report = z.infer<typeof Report>;
