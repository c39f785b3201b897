// The id of a start that a reload may repeat. The tokens of visitors: `visitor.ts`.

import { tried } from './error.js';
import { uuidv7 } from './uuid.js';

/** Used where there is no `sessionStorage`. */
const startIds = new Map<string, string>();

/**
 * An id for {@link StartOptions.id}, created once and stored in `sessionStorage` under `name`. A start that is repeated, by a
 * reload or by an effect that React runs twice, is then one start and leads to one instance. {@link forgetStartId} allows another.
 */
export function startId(name: string): string {
  const id = tried(() => sessionStorage.getItem(name)) ?? startIds.get(name) ?? uuidv7(Date.now());
  startIds.set(name, id);
  tried(() => sessionStorage.setItem(name, id));
  return id;
}

/** The next {@link startId} of this name is a new one. */
export function forgetStartId(name: string): void {
  startIds.delete(name);
  tried(() => sessionStorage.removeItem(name));
}
