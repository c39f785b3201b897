import { guarded } from './error.js';

/** A value that changes over time: the smallest contract that React, Svelte and plain code all accept. */
export interface Store<T> {
  /** The value now. The same object until it changes. */
  get(): T;
  /** Calls `listener` with each new value, not with the present one. Returns the function that ends it. */
  subscribe(listener: (value: T) => void): () => void;
}

/** A store together with the right to write it: kept inside the client. */
export interface WritableStore<T> extends Store<T> {
  /** Stores the value and tells the listeners, unless it is the same one. */
  set(value: T): void;
}

/** Makes a store that holds `value`. */
export function store<T>(value: T): WritableStore<T> {
  const listeners = new Set<(value: T) => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      // One that fails must not keep the rest of a frame from being applied.
      for (const listener of [...listeners]) guarded(() => listener(next));
    },
    subscribe(listener) {
      // A wrapper of its own, so that the same function may be subscribed twice.
      const own = (next: T) => listener(next);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };
}
