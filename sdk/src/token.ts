/** Keeps the token of an anonymous visitor, so that a reload (or another tab) can go on with the same instance. */
export interface TokenStore {
  /** The token for the next connection; `undefined` connects anonymously. */
  get(): string | undefined;
  /** A token for `instance` has come, or (`undefined`) the server refused the one it was given. */
  set(token: string | undefined, instance?: string): void;
}

/** Keeps the token for as long as the page lives. The default. */
export function memoryTokenStore(): TokenStore {
  let kept: string | undefined;
  return { get: () => kept, set: (token) => void (kept = token) };
}

/** Keeps the token in `localStorage` under `name`. */
export function localTokenStore(name: string): TokenStore {
  return {
    get: () => localStorage.getItem(name) ?? undefined,
    set: (token) => (token === undefined ? localStorage.removeItem(name) : localStorage.setItem(name, token)),
  };
}
