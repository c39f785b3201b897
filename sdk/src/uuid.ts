// Ids of commands. Stored ids of starts: `start-id.ts`.

/**
 * 4,096 per millisecond: the time and, below it, a counter. As a number it is exact until 2039, and still sorts nearly correctly
 * after that.
 */
let last = 0;

const hex = (number: number, length: number) => number.toString(16).padStart(length, '0');

/** This many random bytes, as hexadecimal digits. */
export const randomHex = (bytes: number): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => hex(byte, 2)).join('');

/**
 * A UUIDv7: 48 bits of milliseconds, then a counter, then randomness. Ids created by one page sort in the order of creation, which
 * keeps the keys that the server derives from them sequential. Works without a secure context.
 */
export function uuidv7(now: number): string {
  last = Math.max(now * 4096, last + 1);
  // The first digit of the fourth group may be 8 to b; always using 8 gives up two random bits.
  const digits = hex(last, 15) + randomHex(8);
  return digits.replace(/(.{8})(.{4})(.{3}).(.{3})(.{12})/, '$1-$2-7$3-8$4-$5');
}
