// A visitor's tokens in `localStorage`. In memory only: `token.ts`; their purpose: `visitor.ts`.

import type { TokenStore } from './token.js';
import { tried } from './error.js';
import { randomHex } from './uuid.js';

/** Number of trees whose tokens are stored: they take 40 KB of storage. Beyond that the oldest are dropped. */
const STORED = 100;

interface Kept {
  nonce: string;
  /** Oldest first. */
  tokens: [instance: string, token: string][];
}

const isPair = (pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string');

/** Stores the tokens in `localStorage` under `name`; where that is not available, for as long as the page lives. */
export function localTokenStore(name: string): TokenStore {
  let kept: Kept = { nonce: randomHex(16), tokens: [] };
  // Read each time, as other tabs write there too. Unexpected content is ignored.
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
