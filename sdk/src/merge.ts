type Members = Record<string, unknown>;

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `fromEntries` defines properties, so a member named `__proto__` is data and nothing else. */
const objectOf = (members: Iterable<[string, unknown]>): Members => Object.fromEntries(members);

/** `after`, with every part that says the same as in `before` taken from there, so that it keeps its identity. Both are JSON. */
export function share<T>(before: unknown, after: T): T {
  if (Array.isArray(before) && Array.isArray(after)) {
    const items = after.map((item, index) => share(before[index], item));
    const same = items.length === before.length && items.every((item, index) => Object.is(item, before[index]));
    return (same ? before : items) as T;
  }
  if (!isObject(before) || !isObject(after)) return after;
  const names = Object.keys(after);
  const own = (name: string) => (Object.hasOwn(before, name) ? before[name] : undefined);
  const members = names.map((name): [string, unknown] => [name, share(own(name), after[name])]);
  const same =
    names.length === Object.keys(before).length &&
    members.every(([name, value]) => Object.hasOwn(before, name) && Object.is(value, before[name]));
  return (same ? before : objectOf(members)) as T;
}

/**
 * The server's deep merge: objects merge, arrays and scalars replace, `null` is a value.
 * Neither argument is changed, and branches that stay equal keep their identity.
 */
export function merge(base: unknown, patch: unknown): unknown {
  if (!isObject(base) || !isObject(patch)) return share(base, patch);
  const merged = new Map(Object.entries(base));
  let changed = false;
  for (const [name, value] of Object.entries(patch)) {
    const before = merged.get(name);
    const after = merged.has(name) ? merge(before, value) : value;
    changed ||= !merged.has(name) || !Object.is(before, after);
    merged.set(name, after);
  }
  return changed ? objectOf(merged) : base;
}
