// The interface of a store of a visitor's tokens, and a store in memory. To survive a reload: `storage.ts`.

import { randomHex } from './uuid.js';

/**
 * Stores what identifies an anonymous visitor after a reload, or in another tab: a token for each tree of instances that the
 * visitor started, and one secret.
 */
export interface TokenStore {
  /** The token for the tree with this root instance. */
  get(instance: string): string | undefined;
  /** Stores a token; `undefined`: the server rejected the previous one. */
  set(instance: string, token: string | undefined): void;
  /** A secret that nobody can guess, always the same: a start repeated with it and the same id gets the first answer. */
  nonce(): string;
}

/** Number of trees whose tokens are stored: as many as a connection can follow. Beyond that the oldest are dropped. */
const KEPT = 1_000;

/** Stores the tokens for as long as the page lives. The default. */
export function memoryTokenStore(): TokenStore {
  const nonce = randomHex(16);
  const tokens = new Map<string, string>();
  return {
    get: (instance) => tokens.get(instance),
    set(instance, token) {
      tokens.delete(instance);
      if (token !== undefined) tokens.set(instance, token);
      if (tokens.size > KEPT) tokens.delete(tokens.keys().next().value!);
    },
    nonce: () => nonce,
  };
}
