import { expect, test } from 'vitest';
import { backoff, isFinal } from '../src/backoff.js';
import { merge, share } from '../src/merge.js';
import { store } from '../src/store.js';
import { uuidv7 } from '../src/uuid.js';

test.each<[unknown, unknown, unknown]>([
  [{ a: { b: 1 } }, { a: { c: 2 } }, { a: { b: 1, c: 2 } }],
  [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
  [{ a: 1 }, { a: null }, { a: null }],
  [{ a: 1 }, { a: { b: 2 } }, { a: { b: 2 } }],
  [{ a: { b: 1 } }, { a: 'text' }, { a: 'text' }],
])('merge(%j, %j)', (base, patch, merged) => expect(merge(base, patch)).toEqual(merged));

test('merge keeps what stays equal, and takes __proto__ for data', () => {
  const base = { a: { b: 1 }, c: { d: 2 } };
  expect(merge(base, { a: { b: 1 } })).toBe(base);
  expect((merge(base, { a: { b: 2 } }) as typeof base).c).toBe(base.c);
  const merged = merge({}, JSON.parse('{"__proto__":{"admin":true}}')) as Record<string, unknown>;
  expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  expect(Object.keys(merged)).toEqual(['__proto__']);
});

test('equal parts are shared at any depth, and only those', () => {
  const before = { a: { b: [1, { c: 2 }] }, d: 'x', e: [{ f: 1 }, { g: 2 }] };
  expect(share(before, structuredClone(before))).toBe(before);
  const after = share(before, { a: { b: [1, { c: 3 }] }, d: 'x', e: [{ f: 1 }, { g: 2 }, { h: 3 }] });
  expect(after).toEqual({ a: { b: [1, { c: 3 }] }, d: 'x', e: [{ f: 1 }, { g: 2 }, { h: 3 }] });
  expect(after.e[0]).toBe(before.e[0]);
  expect([after.a === before.a, after.e === (before.e as unknown)]).toEqual([false, false]);
  expect(share({ a: 1, b: 2 }, { a: 1 })).toEqual({ a: 1 });
  expect(share({ a: undefined }, { b: 1 })).toEqual({ b: 1 });
  expect(share([1, 2], [1])).toEqual([1]);
  expect(share({ 0: 1 }, [1])).toEqual([1]);
  expect(share(null, { a: null })).toEqual({ a: null });
  const hostile = share({}, JSON.parse('{"__proto__":{"admin":true}}')) as Record<string, unknown>;
  expect([Object.getPrototypeOf(hostile) === Object.prototype, Object.keys(hostile)]).toEqual([true, ['__proto__']]);
  expect(Object.keys(share(hostile, JSON.parse('{"__proto__":{"admin":true}}')))).toEqual(['__proto__']);
});

test('a merge of equal data changes nothing', () => {
  const base = { list: [{ a: 1 }], deep: { list: [1, 2] } };
  expect(merge(base, { list: [{ a: 1 }] })).toBe(base);
  expect((merge(base, { list: [{ a: 1 }, { b: 2 }] }) as typeof base).list[0]).toBe(base.list[0]);
});

test.each([
  [1006, false],
  [1012, false],
  [1001, false],
  [1009, false],
  [4000, false],
  [4001, false],
  [4401, false],
  [4429, false],
  [4400, true],
  [4403, true],
  [4408, true],
])('close code %d is final: %s', (code, final) => expect(isFinal(code)).toBe(final));

test('backoff is bounded', () => {
  expect(backoff(1006, 0, 0.999)).toBeLessThan(250);
  expect(backoff(1006, 99, 0.999)).toBeLessThan(15_000);
  expect(backoff(4429, 0, 0)).toBe(10_000);
});

test('ids made in one millisecond, or after the clock went back, still sort', () => {
  const ids = Array.from({ length: 5_000 }, () => uuidv7(1_000));
  ids.push(uuidv7(999), uuidv7(1_002));
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});

test('a store tells its listeners of changes only', () => {
  const value = store(1);
  const seen: number[] = [];
  const end = value.subscribe((next) => seen.push(next));
  value.set(1);
  value.set(2);
  end();
  value.set(3);
  expect(seen).toEqual([2]);
});
