function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The server's deep merge: objects merge, arrays and scalars replace, `null` is a value.
 * Neither argument is changed, and branches that stay equal keep their identity.
 */
export function merge(base: unknown, patch: unknown): unknown {
  if (!isObject(base) || !isObject(patch)) return patch;
  const merged = new Map(Object.entries(base));
  let changed = false;
  for (const [name, value] of Object.entries(patch)) {
    const before = merged.get(name);
    const after = merged.has(name) ? merge(before, value) : value;
    changed ||= !merged.has(name) || !Object.is(before, after);
    merged.set(name, after);
  }
  // `fromEntries` defines properties, so a member named `__proto__` is data and nothing else.
  return changed ? Object.fromEntries(merged) : base;
}
