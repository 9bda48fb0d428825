import type { Logger as TemporalLogger } from '@temporalio/common';
import { type DestinationStream, type LevelWithSilent, type Logger, type LoggerOptions, pino } from 'pino';
import { visibleJson } from '../decisions/shown-text.ts';

/** JSON lines, one a record (default: on standard output); what is called a key, a token or a password is never written out. */
export function createLogger(level: LevelWithSilent, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    hooks: { streamWrite: visibleJson }, // pino escapes the first 32 control characters alone
    redact: ['*.apiKey', '*.authorization', '*.password', '*.token', 'apiKey', 'authorization', 'password', 'token'],
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

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
