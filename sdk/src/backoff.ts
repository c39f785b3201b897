// How long the client waits before it connects or sends again. When it does so: `connection.ts`, `outbox.ts`.

const FIRST_MS = 250;
const LONGEST_MS = 15_000;
const FLOOD_MS = 10_000;

/** Whether a close code is final: 44xx is, except 4401, which is worth one new token, and 4429, which needs a longer wait. */
export const isFinal = (code: number): boolean => /^44(?!01|29)/.test(code as unknown as string);

/** Full jitter: a random part of a bound that doubles with each consecutive attempt. In milliseconds. */
export function jitter(tries: number, random: number): number {
  return random * Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(tries, 16));
}

/** The delay before the next connection, in milliseconds. */
export function backoff(code: number, tries: number, random: number): number {
  return (code === 4429 ? FLOOD_MS : 0) + jitter(tries, random);
}
