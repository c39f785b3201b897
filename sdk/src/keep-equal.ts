/** `before` when `after` says the same, so that what did not change keeps its identity; else `after`. Both are JSON. */
export function keepEqual<T>(before: T | undefined, after: T): T {
  if (Object.is(before, after)) return after;
  return before !== undefined && JSON.stringify(before) === JSON.stringify(after) ? before : after;
}
