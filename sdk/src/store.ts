// Observable values, and parts of them. Used for: `instance.ts`, `lists.ts`, `connection.ts`.

import { guarded } from './error.js';
import { share } from './merge.js';

/** A value that changes over time: the smallest contract that React, Svelte and plain code all accept. */
export interface Store<T> {
  /** The current value. The same object until it changes. */
  get(): T;
  /** Calls `listener` with each new value, not with the current one. Returns the function that ends it. */
  subscribe(listener: (value: T) => void): () => void;
}

/** A store with the right to write it: kept inside the client. */
export interface WritableStore<T> extends Store<T> {
  /** Stores the value and calls the listeners, unless it is the same one. */
  set(value: T): void;
}

/** Creates a store that holds `value`. */
export function store<T>(value: T): WritableStore<T> {
  const listeners = new Set<(value: T) => void>();
  return {
    get: () => value,
    subscribe(listener) {
      // A wrapper of its own, so that the same function may be subscribed twice.
      const own = (next: T) => listener(next);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      // A listener that fails must not keep the rest of a frame from being applied.
      for (const listener of [...listeners]) guarded(() => listener(next));
    },
  };
}

/**
 * A store of a part of another one, or of anything computed from its value. It changes only when the result differs, and equal
 * parts of the result keep their identity. `part` must be pure. It holds nothing while nobody listens.
 */
export function select<T, Part>(source: Store<T>, part: (value: T) => Part): Store<Part> {
  let from: T;
  let value: Part;
  const get = () => {
    const now = source.get();
    if (value === undefined || !Object.is(now, from)) value = share(value, part((from = now)));
    return value;
  };
  const subscribe = (listener: (value: Part) => void) => {
    let before = get();
    return source.subscribe(() => {
      const was = before;
      if (!Object.is((before = get()), was)) listener(before);
    });
  };
  return { get, subscribe };
}
