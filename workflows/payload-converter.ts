import { defaultPayloadConverter } from '@temporalio/common';

// Plain JavaScript as well as TypeScript: the SDK loads this file by its path with `require`, and Node 20 strips no types.

/**
 * The default converter, but what it cannot read arrives as a text that says so: the default throws, which fails the
 * workflow task again and again, so that one broken payload in a signal would stop its workflow for good.
 */
export const payloadConverter = {
  toPayload: defaultPayloadConverter.toPayload.bind(defaultPayloadConverter),
  fromPayload: new Proxy(defaultPayloadConverter.fromPayload, {
    apply(fromPayload, _, payloads) {
      try {
        return Reflect.apply(fromPayload, defaultPayloadConverter, payloads);
      } catch (error) {
        return `(a payload that cannot be read: ${error instanceof Error ? error.message : String(error)})`;
      }
    },
  }),
};
