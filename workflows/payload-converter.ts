import { defaultPayloadConverter, type PayloadConverter } from '@temporalio/common';

/**
 * The default converter, but what it cannot read arrives as a text that says so: the default throws, which fails the
 * workflow task again and again, so that one broken payload in a signal would stop its workflow for good.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload<T>(payload: Parameters<PayloadConverter['fromPayload']>[0]): T {
    try {
      return defaultPayloadConverter.fromPayload(payload);
    } catch (error) {
      const unreadable: unknown = `(a payload that cannot be read: ${error instanceof Error ? error.message : String(error)})`;
      return unreadable as T;
    }
  },
};
