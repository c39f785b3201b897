import { uuidv7 } from './uuid.js';

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

/** Trees of which the tokens are kept: as many as a connection can follow, and as take 40 KB of storage. Beyond that the oldest go. */
const KEPT = 1_000;
const STORED = 100;

interface Kept {
  nonce: string;
  /** Oldest first. */
  tokens: [instance: string, token: string][];
}

function storeOf(most: number, read: () => Kept, write: (kept: Kept) => void): TokenStore {
  return {
    get: (instance) => read().tokens.find(([key]) => key === instance)?.[1],
    set(instance, token) {
      const { nonce, tokens } = read();
      const others = tokens.filter(([key]) => key !== instance);
      if (token !== undefined) others.push([instance, token]);
      write({ nonce, tokens: others.slice(-most) });
    },
    nonce() {
      const kept = read();
      write(kept);
      return kept.nonce;
    },
  };
}

/** Keeps the tokens for as long as the page lives. The default. */
export function memoryTokenStore(): TokenStore {
  let kept: Kept = { nonce: secret(), tokens: [] };
  return storeOf(
    KEPT,
    () => kept,
    (next) => (kept = next),
  );
}

/** Keeps the tokens in `localStorage` under `name`; where that cannot be had, for as long as the page lives. */
export function localTokenStore(name: string): TokenStore {
  let kept: Kept = { nonce: secret(), tokens: [] };
  // Read anew each time, as other tabs write there too. Whatever else may stand there is no reason to fail.
  const read = () => {
    try {
      const { nonce, tokens } = JSON.parse(localStorage.getItem(name) ?? '') as Kept;
      const sound = typeof nonce === 'string' && Array.isArray(tokens) && tokens.every(isPair);
      if (sound) kept = { nonce, tokens };
    } catch {}
    return kept;
  };
  return storeOf(STORED, read, (next) => {
    kept = next;
    try {
      localStorage.setItem(name, JSON.stringify(next));
    } catch {}
  });
}

const isPair = (pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string');

function secret(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Where there is no `sessionStorage`. */
const startIds = new Map<string, string>();

/**
 * An id for {@link StartOptions.id}, made once and kept in `sessionStorage` under `name`. A start that is repeated, by a reload or
 * by an effect that React runs twice, is then one start and leads to one instance. {@link forgetStartId} makes room for another.
 */
export function startId(name: string): string {
  let id = startIds.get(name);
  try {
    id = sessionStorage.getItem(name) ?? id;
  } catch {}
  id ??= uuidv7(Date.now());
  startIds.set(name, id);
  try {
    sessionStorage.setItem(name, id);
  } catch {}
  return id;
}

/** The next {@link startId} of this name is a new one. */
export function forgetStartId(name: string): void {
  startIds.delete(name);
  try {
    sessionStorage.removeItem(name);
  } catch {}
}
