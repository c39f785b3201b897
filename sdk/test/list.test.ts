import { expect, test } from 'vitest';
import { connect, type InstanceInfo, type TaskInfo } from '../src/index.js';
import { instances as instancesOf, tasks as tasksOf } from '../src/lists.js';
import { FakeServer } from '../src/testing.js';

async function live() {
  const server = new FakeServer();
  const client = connect({ url: 'ws://test', getToken: () => 'token', platform: server.platform });
  await server.advance();
  return { server, client };
}

/** `age` in minutes; the element's key contains it, so that the order can be read. */
function task(age: number, more: Partial<TaskInfo> = {}): TaskInfo {
  const createdAt = new Date(Date.UTC(2030, 0, 1) - age * 60_000).toISOString();
  const place = { businessKey: null, lane: 'office', assignee: null, candidates: ['clerk'], dueAt: null, remindedAt: null, loopCounter: null };
  return { instance: 'i', element: `e${age}`, process: 'claim', node: 'check', name: 'Check', createdAt, ...place, ...more };
}

function instance(age: number, more: Partial<InstanceInfo> = {}): InstanceInfo {
  const { createdAt } = task(age);
  const about = { process: 'claim', businessKey: null, startedBy: 'ada', endedAt: null, incidents: 0 };
  return { instance: `i${age}`, status: 'started', createdAt, ...about, ...more };
}

const ages = (tasks: readonly TaskInfo[] | undefined) => tasks?.map(({ element }) => element).join(' ');

test('tasks are added, changed and removed; unchanged ones keep their identity', async () => {
  const { server, client } = await live();
  server.tasks.lines = [task(5), task(9)];
  const list = tasksOf(client);
  expect(list.tasks.get()).toBeUndefined();
  await server.advance();
  expect([ages(list.tasks.get()), list.more.get()]).toEqual(['e5 e9', false]);
  const before = list.tasks.get()!;
  server.tasks.push({ type: 'tasks', set: [task(1), task(7), task(9, { assignee: 'ada' })], removed: [] });
  await server.advance();
  const after = list.tasks.get()!;
  expect(ages(after)).toBe('e1 e5 e7 e9');
  expect(after[1]).toBe(before[0]);
  expect(after[3]?.assignee).toBe('ada');
  expect(ages(before)).toBe('e5 e9');
  server.tasks.push({ type: 'tasks', set: [], removed: ['e5', 'unknown'] });
  server.tasks.push({ type: 'tasks', set: [task(1)], removed: [] });
  server.tasks.push({ type: 'colours', hue: 7 });
  server.connection.push({ type: 'weather', channel: 'tasks' });
  await server.advance();
  expect(ages(list.tasks.get())).toBe('e1 e7 e9');
  expect(server.sent('subscribe')).toHaveLength(1);
});

test('a reminder is a change of its task only', async () => {
  const { server, client } = await live();
  const dueAt = '2030-01-02T00:00:00.000Z';
  server.tasks.lines = [task(5, { dueAt }), task(9)];
  const list = tasksOf(client);
  await server.advance();
  const before = list.tasks.get()!;
  const remindedAt = '2030-01-01T00:00:00.000Z';
  server.tasks.push({ type: 'tasks', set: [task(5, { dueAt, remindedAt })], removed: [] });
  await server.advance();
  const after = list.tasks.get()!;
  expect(after.map((line) => [line.dueAt, line.remindedAt])).toEqual([
    [dueAt, remindedAt],
    [null, null],
  ]);
  expect(after[1]).toBe(before[1]);
});

test('a change without effect calls no listener', async () => {
  const { server, client } = await live();
  server.tasks.lines = [task(5)];
  const list = tasksOf(client);
  await server.advance();
  const seen: unknown[] = [];
  list.tasks.subscribe((tasks) => seen.push(ages(tasks)));
  server.tasks.push({ type: 'tasks', set: [task(5)], removed: ['unknown'] });
  server.tasks.snapshot(server.connection);
  await server.advance();
  server.tasks.push({ type: 'tasks', set: [task(3)], removed: [] });
  await server.advance();
  expect(seen).toEqual(['e3 e5']);
});

test('after a gap the list starts over, once, and ignores frames until the snapshot', async () => {
  const { server, client } = await live();
  const list = tasksOf(client);
  await server.advance();
  const push = (seq: number, prev: number, age: number) =>
    server.connection.push({ type: 'tasks', channel: 'tasks', seq, prev, set: [task(age)], removed: [] });
  push(3, 2, 1);
  push(4, 3, 2);
  await server.advance();
  expect(list.tasks.get()).toEqual([]);
  expect(server.sent('subscribe').map(({ channel }) => channel)).toEqual(['tasks', 'tasks']);
  push(1, 0, 3);
  await server.advance();
  expect(ages(list.tasks.get())).toBe('e3');
});

test('a resync waits for the snapshot, and frames in between are not applied', async () => {
  const { server, client } = await live();
  server.tasks.lines = [task(5)];
  const list = tasksOf(client);
  await server.advance();
  server.connection.push({ type: 'resync', channel: 'tasks', reason: 'access' });
  server.tasks.push({ type: 'tasks', set: [task(1)], removed: [] });
  await server.advance();
  expect(ages(list.tasks.get())).toBe('e5');
  server.tasks.lines = [task(2)];
  server.tasks.snapshot(server.connection);
  await server.advance();
  expect(ages(list.tasks.get())).toBe('e2');
  expect(server.sent('subscribe')).toHaveLength(1);
});

test('a lost connection keeps the known lines until the next snapshot', async () => {
  const { server, client } = await live();
  server.tasks.lines = [task(5), task(9)];
  const list = tasksOf(client);
  await server.advance();
  const before = list.tasks.get()!;
  server.connection.drop();
  await server.advance(0);
  expect(list.tasks.get()).toBe(before);
  server.tasks.lines = [task(1), task(9)];
  await server.advance(1_000);
  expect(ages(list.tasks.get())).toBe('e1 e9');
  expect(list.tasks.get()?.[1]).toBe(before[1]);
  expect(server.sent('hello')[1]).toMatchObject({ resume: [] });
  server.tasks.push({ type: 'tasks', set: [], removed: ['e9'] });
  await server.advance();
  expect(ages(list.tasks.get())).toBe('e1');
});

test('a list opened without a connection is subscribed once', async () => {
  const server = new FakeServer();
  const client = connect({ url: 'ws://test', getToken: () => 'token', platform: server.platform });
  tasksOf(client);
  await server.advance();
  expect(server.sent('subscribe')).toHaveLength(1);
});

test('lists are shared, and unsubscribed with the last use', async () => {
  const { server, client } = await live();
  const list = tasksOf(client);
  expect(tasksOf(client)).toBe(list);
  expect(instancesOf(client, 'claim')).not.toBe(instancesOf(client, '*'));
  await server.advance();
  expect(server.sent('subscribe').map(({ channel }) => channel)).toEqual(['tasks', 'process/claim', 'process/*']);
  list.close();
  await server.advance();
  expect(server.sent('unsubscribe')).toEqual([]);
  list.close();
  await server.advance();
  expect(server.sent('unsubscribe')).toMatchObject([{ channel: 'tasks' }]);
  server.connection.drop();
  await server.advance(1_000);
  const again = server.sent('subscribe').slice(3);
  expect(again.map(({ channel }) => channel)).toEqual(['process/claim', 'process/*']);
});

test('instances change in place, new ones are inserted by their age', async () => {
  const { server, client } = await live();
  const fake = server.process('claim');
  fake.lines = [instance(5), instance(9)];
  const list = instancesOf(client, 'claim');
  await server.advance();
  const push = (age: number, more: Partial<InstanceInfo>) => fake.push({ type: 'instance', ...instance(age, more) });
  push(9, { status: 'onHold' });
  push(1, { incidents: 1 });
  await server.advance();
  const shown = list.instances.get()!;
  expect(shown).toEqual([instance(1, { incidents: 1 }), instance(5), instance(9, { status: 'onHold' })]);
});

test('of a longer list the newest are held: a changed older one stays out, and free places are filled again', async () => {
  const { server, client } = await live();
  server.tasks.lines = [1, 2, 3, 4].map((age) => task(age));
  server.tasks.more = true;
  const list = tasksOf(client);
  await server.advance();
  server.tasks.push({ type: 'tasks', set: [task(8)], removed: [] });
  await server.advance();
  expect([ages(list.tasks.get()), list.more.get()]).toEqual(['e1 e2 e3 e4', true]);
  server.tasks.lines = [task(4), task(8)];
  server.tasks.more = false;
  server.tasks.push({ type: 'tasks', set: [], removed: ['e1', 'e2', 'e3'] });
  await server.advance();
  expect([ages(list.tasks.get()), list.more.get()]).toEqual(['e4 e8', false]);
});

test('a list is bounded, and reports when it is incomplete', async () => {
  const { server, client } = await live();
  const list = tasksOf(client);
  await server.advance();
  const set = Array.from({ length: 1_001 }, (_, age) => task(age));
  server.tasks.push({ type: 'tasks', set, removed: [] });
  await server.advance();
  expect([list.tasks.get()?.length, list.tasks.get()?.at(-1)?.element, list.more.get()]).toEqual([1_000, 'e999', true]);
});

test('a list without permission has an error, at once or when rights are lost', async () => {
  const { server, client } = await live();
  server.on('subscribe', ({ id, channel }, connection) =>
    connection.push({ type: 'error', id, channel, code: 'forbidden', message: 'expected role operator' }),
  );
  const refused = instancesOf(client, 'claim');
  await server.advance();
  expect([refused.error.get()?.code, refused.instances.get()]).toEqual(['forbidden', undefined]);
  server.on('subscribe', (frame, connection) => server.answer(frame, connection));
  const list = instancesOf(client, 'claim');
  await server.advance();
  expect([list.error.get(), list.instances.get()]).toEqual([undefined, []]);
  server.connection.push({ type: 'error', channel: 'process/claim', code: 'forbidden', message: 'no longer' });
  await server.advance();
  expect(list.error.get()?.message).toBe('no longer');
});
