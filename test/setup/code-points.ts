import fc from 'fast-check';

const SURROGATES = { first: 0xd800, count: 0x800 };

/**
 * Any character, as the unit of `fc.string`. fast-check's own unit `binary` makes a table of all of them in every process: 1.1 s of CPU
 * (4.10.2).
 */
export const codePoint = fc.nat(0x10_ffff - SURROGATES.count).map(
  (n) => String.fromCodePoint(n < SURROGATES.first ? n : n + SURROGATES.count),
  (text) => {
    const [character, ...more] = String(text);
    const code = character?.codePointAt(0);
    if (code === undefined || more.length > 0) throw new Error('not one character');
    return code < SURROGATES.first ? code : code - SURROGATES.count;
  },
);
