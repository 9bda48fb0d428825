import type { Logger as TemporalLogger } from '@temporalio/common';
import { type LevelWithSilent, type Logger, pino } from 'pino';

/** JSON lines on standard output, one a record; what is called a key, a token or a password is never written out. */
export const createLogger = (level: LevelWithSilent): Logger =>
  pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ['*.apiKey', '*.authorization', '*.password', '*.token', 'apiKey', 'authorization', 'password', 'token'],
  });

/** The SDK's logger over pino: the order of the arguments is turned round, and an error goes where pino's serialiser looks. */
export function temporalLogger(log: Logger): TemporalLogger {
  const write = (
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error',
    message: string,
    meta: Record<string, unknown> = {},
  ): void => {
    const { error, ...fields } = meta;
    log[level](error === undefined ? fields : { ...fields, err: error }, message);
  };
  return {
    log: (level, message, meta) => write(LEVELS[level], message, meta),
    trace: (message, meta) => write('trace', message, meta),
    debug: (message, meta) => write('debug', message, meta),
    info: (message, meta) => write('info', message, meta),
    warn: (message, meta) => write('warn', message, meta),
    error: (message, meta) => write('error', message, meta),
  };
}

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
