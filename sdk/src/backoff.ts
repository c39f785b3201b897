// How long the client waits before it connects or sends again. When it does: `connection.ts`, `outbox.ts`.

const FIRST_MS = 250;
const LONGEST_MS = 15_000;
const FLOOD_MS = 10_000;

/** Whether a close code ends it: 44xx does, but 4401 is worth one new token, and 4429 a longer wait. */
export const isFinal = (code: number): boolean => /^44(?!01|29)/.test(code as unknown as string);

/** Full jitter: anything up to a bound that doubles with each try in a row. In milliseconds. */
export function jitter(tries: number, random: number): number {
  return random * Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(tries, 16));
}

/** How long to wait before the next connection. In milliseconds. */
export function backoff(code: number, tries: number, random: number): number {
  return (code === 4429 ? FLOOD_MS : 0) + jitter(tries, random);
}
