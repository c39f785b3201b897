let lastTime = 0;
let counter = 0;

/**
 * A UUIDv7: 48 bits of milliseconds, then a counter, then randomness. Ids made by one page sort in the order they were made,
 * which keeps the keys that the server derives from them sequential. Works without a secure context.
 */
export function uuidv7(now: number): string {
  counter = now > lastTime ? 0 : counter + 1;
  if (counter > 0xfff) {
    lastTime += 1;
    counter = 0;
  }
  lastTime = Math.max(now, lastTime);
  const random = crypto.getRandomValues(new Uint8Array(8));
  random[0] = (random[0]! & 0x3f) | 0x80;
  const tail = Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const time = lastTime.toString(16).padStart(12, '0');
  const count = counter.toString(16).padStart(3, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}
