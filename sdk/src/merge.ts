type Members = Record<string, unknown>;

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const own = (members: Members, name: string) => (Object.hasOwn(members, name) ? members[name] : undefined);

/** An instance, say: what does something is no data, and is never copied. */
const acts = (members: Members) => Object.values(members).some((value) => typeof value === 'function');

/**
 * `after`, with every part that says the same as in `before` taken from there, so that it keeps its identity. Both are data.
 * `fromEntries` defines properties, so a member named `__proto__` is data and nothing else.
 */
export function share<T>(before: unknown, after: T): T {
  if (Object.is(before, after)) return after;
  let shared: unknown = after;
  let length = 0;
  if (Array.isArray(before) && Array.isArray(after)) {
    shared = after.map((item, index) => share(before[index], item));
    length = before.length;
  } else if (isObject(before) && isObject(after) && !acts(after)) {
    shared = Object.fromEntries(Object.entries(after).map(([name, value]) => [name, share(own(before, name), value)]));
    length = Object.keys(before).length;
  } else return after;
  const entries = Object.entries(shared as Members);
  const same =
    entries.length === length &&
    entries.every(([name, value]) => Object.hasOwn(before, name) && Object.is(value, (before as Members)[name]));
  return (same ? before : shared) as T;
}

/**
 * The server's deep merge: objects merge, arrays and scalars replace, `null` is a value.
 * Neither argument is changed, and branches that stay equal keep their identity.
 */
export function merge(base: unknown, patch: unknown): unknown {
  if (!isObject(base) || !isObject(patch)) return share(base, patch);
  const merged = Object.entries(patch).map(([name, value]) => [
    name,
    Object.hasOwn(base, name) ? merge(base[name], value) : value,
  ]);
  return share(base, Object.fromEntries([...Object.entries(base), ...merged]));
}
