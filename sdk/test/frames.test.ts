/**
 * The package can send every frame of clients: each is sent here by a call of the public API. With STEPWIRE_URL the list is that of a
 * running server's AsyncAPI.
 */
import { expect, test } from 'vitest';
import { tasks } from '../src/lists.js';
import { type Client, connect, type Instance } from '../src/index.js';
import { openTask } from '../src/task.js';
import { FakeServer, testClock } from '../src/testing.js';

const url = process.env.STEPWIRE_URL ?? '';

/** Frame → the call that sends it. */
const CALLS: Record<string, (client: Client, instance: Instance) => unknown> = {
  hello: (client) => client.status.get(),
  pong: (client) => client.status.get(),
  start: (client) => client.start('p'),
  run: (_, instance) => instance.run('save', {}),
  subscribe: (client) => client.instance('p', 'other'),
  unsubscribe: (client) => tasks(client).close(),
  auth: (client) => client.command({ type: 'auth', token: 'fresh' }),
  done: (_, instance) => instance.command('done', { seq: 1 }),
  patch: (_, instance) => instance.command('patch', { data: { a: 1 }, scope: 'e', ifSeq: 1 }),
  publish: (client) => client.publish({ name: 'paid' }),
  draft: (client, instance) => openTask(client, instance, { element: 'e', action: 'save' }).discard(),
  presence: (client, instance) => openTask(client, instance, { element: 'e', action: 'save' }).close(),
  retry: (_, instance) => instance.command('retry', { element: 'e' }),
  skip: (_, instance) => instance.command('skip', { element: 'e' }),
  move: (_, instance) => instance.command('move', { element: 'e', to: 'n' }),
  claim: (_, instance) => instance.command('claim', { element: 'e' }),
  release: (_, instance) => instance.command('release', { element: 'e' }),
  assign: (_, instance) => instance.command('assign', { element: 'e', user: 'ada' }),
  hold: (_, instance) => instance.command('hold'),
  unhold: (_, instance) => instance.command('unhold'),
  terminate: (_, instance) => instance.command('terminate'),
  dismiss: (_, instance) => instance.command('dismiss'),
  clock: (client) => testClock(client).advance('PT1H'),
  idle: (client) => testClock(client).idle(),
};

test.each(Object.keys(CALLS))('%s is sent', async (type) => {
  const server = new FakeServer();
  server.on('clock', ({ id }, connection) => connection.push({ type: 'reply', id, result: { now: '2030-01-01T01:00:00Z' } }));
  const client = connect({ url: 'ws://test', getToken: () => 'token', platform: server.platform });
  const instance = client.instance('p', 'k');
  await server.advance();
  server.connection.push({ type: 'ping' });
  const called = Promise.resolve(CALLS[type]!(client, instance));
  await server.advance();
  await called;
  expect(server.sent(type).length).toBeGreaterThan(0);
});

test.skipIf(url === '')('these are all that the server takes', async () => {
  const answer = await fetch(`${url.replace(/^ws/, 'http').replace(/\/v1\/ws$/, '')}/asyncapi.json`);
  const { operations } = (await answer.json()) as { operations: Record<string, { action: string; messages: { $ref: string }[] }> };
  const received = Object.values(operations).filter(({ action }) => action === 'receive');
  const types = received.flatMap(({ messages }) => messages.map(({ $ref }) => $ref.split('/').at(-1)));
  expect([...new Set(types)].sort()).toEqual(Object.keys(CALLS).sort());
});
