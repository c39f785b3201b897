/** Parts of a store, and optimistic updates. */
import { expect, test, vi } from 'vitest';
import { connect, type Instance, StepwireError } from '../src/index.js';
import { explain, frameLog } from '../src/debug.js';
import { select, store } from '../src/store.js';
import { FakeServer } from '../src/testing.js';

async function following() {
  const server = new FakeServer();
  const client = connect({ url: 'ws://test', getToken: () => 'token', platform: server.platform });
  const fake = server.instance('k');
  fake.push({ type: 'data', body: (fake.view = { name: 'Ada', age: 36 }) });
  const instance = client.instance('p', 'k');
  await server.advance();
  return { server, client, fake, instance };
}

test('a selected part changes only when its value differs, and equal parts keep their identity', () => {
  const source = store({ a: [1, 2], b: 1 });
  const part = select(source, ({ a }) => ({ list: a.map((item) => ({ item })) }));
  const seen: unknown[] = [];
  const end = part.subscribe((value) => seen.push(value));
  const before = part.get();
  expect(part.get()).toBe(before);
  source.set({ a: [1, 2], b: 2 });
  expect(seen).toEqual([]);
  expect(part.get()).toBe(before);
  source.set({ a: [1, 3], b: 2 });
  expect(seen).toEqual([{ list: [{ item: 1 }, { item: 3 }] }]);
  expect(part.get()).toBe(seen[0]);
  expect(part.get().list[0]).toBe(before.list[0]);
  end();
  source.set({ a: [], b: 2 });
  expect(seen).toHaveLength(1);
});

test('a part of a part is a store too, and one without listeners is computed when read', () => {
  const source = store({ a: { b: 1 } });
  const compute = vi.fn(({ a }: { a: { b: number } }) => a);
  const part = select(select(source, compute), ({ b }) => b * 2);
  expect(compute).not.toHaveBeenCalled();
  expect([part.get(), part.get()]).toEqual([2, 2]);
  expect(compute).toHaveBeenCalledTimes(1);
});

const shown = (instance: Instance) => instance.view.get();

test('an optimistic change is shown at once and removed by the first frame that the command caused', async () => {
  const { server, fake, instance } = await following();
  server.on('run', ({ id }, connection) => {
    fake.push({ type: 'data', body: { age: 37, seen: true }, cause: 'somebody else' });
    fake.push({ type: 'data', body: { name: 'Grace Hopper' }, cause: id });
    connection.push({ type: 'reply', id, seq: fake.progress({}), result: {} });
  });
  const seen: unknown[] = [];
  instance.view.subscribe((view) => seen.push(view));
  const running = instance.run('save', {}, { optimistic: { name: 'Grace' } });
  expect(shown(instance)).toEqual({ name: 'Grace', age: 36 });
  await server.advance();
  await running;
  expect(seen).toEqual([
    { name: 'Grace', age: 36 },
    { name: 'Grace', age: 37, seen: true },
    { name: 'Grace Hopper', age: 37, seen: true },
  ]);
});

test('an optimistic change is removed by a refusal, and by a reply without frames', async () => {
  const { server, instance } = await following();
  server.on('run', ({ id }, connection) =>
    connection.push({ type: 'error', id, code: 'conflict', message: 'too late', retryable: false }),
  );
  const refused = instance.run('save', {}, { optimistic: (view) => ({ ...view, name: 'Grace' }) }).catch((error) => error.code);
  expect(shown(instance)).toEqual({ name: 'Grace', age: 36 });
  await server.advance();
  expect(await refused).toBe('conflict');
  expect(shown(instance)).toEqual({ name: 'Ada', age: 36 });
  server.on('run', ({ id }, connection) => connection.push({ type: 'reply', id, result: {}, duplicate: true }));
  const running = instance.run('save', {}, { optimistic: { name: 'Grace' } });
  await server.advance();
  await running;
  expect(shown(instance)).toEqual({ name: 'Ada', age: 36 });
});

test('an id of the app is used for the command, so that a repeat is the same', async () => {
  const { server, instance } = await following();
  const id = '0197aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee';
  const running = instance.run('save', {}, { id });
  await server.advance();
  await running;
  expect(server.sent('run')[0]?.id).toBe(id);
});

test('the log of frames masks secrets, and errors are explained', () => {
  const log: unknown[] = [];
  frameLog((direction, frame) => log.push([direction, frame]))('out', { type: 'hello', token: 'secret', nonce: 'n', client: 'x' });
  expect(log).toEqual([['out', { type: 'hello', token: '…', nonce: '…', client: 'x' }]]);
  const fields = { 'client.age': { code: 'minimum', message: 'expected at least 18, but it is 3', params: { limit: 18 } } };
  const text = explain(new StepwireError({ code: 'invalid_data', message: 'expected valid data', fields, cause: 'why' }));
  expect(text.split('\n')).toEqual([
    'invalid_data: expected valid data',
    '  client.age: expected at least 18, but it is 3',
    'because of: why',
    'show what `fields` says, by data path',
  ]);
  expect(explain(new StepwireError({ code: 'brand_new', message: 'm' }))).toContain('does not know');
});

test('a client without any credentials reports it at once', async () => {
  const client = connect({ url: 'ws://test', platform: new FakeServer().platform });
  expect(client.status.get()).toBe('signedOut');
  expect(client.lastError.get()?.message).toContain("'getToken' or 'visitor'");
  await expect(client.start('p')).rejects.toMatchObject({ code: 'unauthenticated' });
});
