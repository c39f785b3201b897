// A visitor's tokens in `localStorage`. In memory only: `token.ts`; what they are for: `visitor.ts`.

import type { TokenStore } from './token.js';
import { tried } from './error.js';
import { randomHex } from './uuid.js';

/** Trees of which the tokens are kept: they take 40 KB of storage. Beyond that the oldest go. */
const STORED = 100;

interface Kept {
  nonce: string;
  /** Oldest first. */
  tokens: [instance: string, token: string][];
}

const isPair = (pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string');

/** Keeps the tokens in `localStorage` under `name`; where that cannot be had, for as long as the page lives. */
export function localTokenStore(name: string): TokenStore {
  let kept: Kept = { nonce: randomHex(16), tokens: [] };
  // Read anew each time, as other tabs write there too. Whatever else may be there is no reason to fail.
  const read = () => {
    const { nonce, tokens } = (tried(() => JSON.parse(localStorage.getItem(name)!) as unknown) ?? {}) as Kept;
    if (typeof nonce === 'string' && Array.isArray(tokens) && tokens.every(isPair)) kept = { nonce, tokens };
    return kept;
  };
  const write = (next: Kept) => {
    kept = next;
    tried(() => localStorage.setItem(name, JSON.stringify(next)));
  };
  return {
    get: (instance) => read().tokens.find(([key]) => key === instance)?.[1],
    set(instance, token) {
      const { nonce, tokens } = read();
      const others = tokens.filter(([key]) => key !== instance);
      if (token !== undefined) others.push([instance, token]);
      write({ nonce, tokens: others.slice(-STORED) });
    },
    nonce() {
      write(read());
      return kept.nonce;
    },
  };
}
