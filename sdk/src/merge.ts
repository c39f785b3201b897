type Members = Record<string, unknown>;

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

const own = (members: Members, name: string) => (Object.hasOwn(members, name) ? members[name] : undefined);

/** An instance, say: what does something is no data, and is never copied. */
const acts = (members: Members) => Object.values(members).some((value) => typeof value === 'function');

/**
 * The server's deep merge: objects merge, arrays and scalars replace, `null` is a value. Neither argument is changed, and every
 * part that says the same as in `before` is taken from there, so that it keeps its identity. Without `keep`, what only `before` has
 * is left out. `fromEntries` defines properties, so a member named `__proto__` is data and nothing else.
 */
export function merge(before: unknown, after: unknown, keep = true): unknown {
  let merged: unknown[] | Members;
  if (Array.isArray(before) && Array.isArray(after)) merged = after.map((item, index) => share(before[index], item));
  else if (before !== after && isObject(before) && isObject(after) && !acts(after)) {
    const changed = Object.entries(after).map(([name, value]) => [name, merge(own(before, name), value, keep)]);
    merged = Object.fromEntries([...(keep ? Object.entries(before) : []), ...changed]) as Members;
  } else return after;
  const entries = Object.entries(merged);
  const same =
    entries.length === Object.keys(before as Members).length &&
    entries.every(([name, value]) => Object.hasOwn(before as Members, name) && Object.is(value, (before as Members)[name]));
  return same ? before : merged;
}

/** `after`, with every part that says the same as in `before` taken from there. Both are data. */
export const share = <T>(before: unknown, after: T): T => merge(before, after, false) as T;
