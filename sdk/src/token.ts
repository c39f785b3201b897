// What keeps a visitor's tokens, and one that keeps them in memory. Over a reload: `storage.ts`.

import { randomHex } from './uuid.js';

/**
 * Keeps what makes an anonymous visitor known again after a reload, or in another tab: a token for each tree of instances that the
 * visitor started, and one secret.
 */
export interface TokenStore {
  /** The token for the tree of which this instance is the root. */
  get(instance: string): string | undefined;
  /** Keeps a token; `undefined`: the server refused the one it was given. */
  set(instance: string, token: string | undefined): void;
  /** A secret that nobody can guess, always the same: who starts with it again under the same id gets the first answer. */
  nonce(): string;
}

/** Trees of which the tokens are kept: as many as a connection can follow. Beyond that the oldest go. */
const KEPT = 1_000;

/** Keeps the tokens for as long as the page lives. The default. */
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
