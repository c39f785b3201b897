// The server's merge of data, with unchanged parts shared. Used by: `instance.ts`, `store.ts`.

/** Whether a value has members to merge. An instance, for example, is not data and is never copied. */
const isData = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Object.values(value).some((member) => typeof member === 'function');

/**
 * The server's deep merge: objects merge, arrays and scalars replace, `null` is a value. Neither argument is changed, and every
 * part equal to that in `before` is taken from there, so that it keeps its identity. Without `keep`, members that only `before` has
 * are left out. `fromEntries` defines properties, so a member named `__proto__` is plain data.
 */
export function merge(before: unknown, after: unknown, keep = true): unknown {
  const list = Array.isArray(after);
  if (before === after || !isData(before) || !isData(after) || list !== Array.isArray(before)) return after;
  if (list) keep = false;
  const known = new Map<string, unknown>(Object.entries(before));
  const changed = Object.entries(after).map(([name, value]) => [name, merge(known.get(name), value, keep)] as const);
  const merged = list ? changed.map(([, value]) => value) : Object.fromEntries([...(keep ? known : []), ...changed]);
  const entries = Object.entries(merged);
  const same = entries.length === known.size && entries.every(([name, value]) => known.has(name) && Object.is(value, known.get(name)));
  return same ? before : merged;
}

/** `after`, with every part equal to that in `before` taken from there. Both are data. */
export const share = <T>(before: unknown, after: T): T => merge(before, after, false) as T;
