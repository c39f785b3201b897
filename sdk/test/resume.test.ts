import { expect, test } from 'vitest';
import { connect } from '../src/index.js';
import { tasks } from '../src/lists.js';
import { FakeServer } from '../src/testing.js';

const RATE = { perSecond: 20, burst: 60 };
/** Keys as long as the server's. */
const keyOf = (index: number) => `0197aaaa-bbbb-7ccc-8ddd-${String(index).padStart(12, '0')}`;

/** A client that follows so many instances, at numbers of five digits. */
async function following(count: number, token = 'token') {
  const server = new FakeServer();
  const client = connect({ url: 'ws://test', getToken: () => token, platform: server.platform });
  const instances = Array.from({ length: count }, (_, index) => client.instance('p', keyOf(index)));
  for (const { key } of instances) {
    const { log } = server.instance(key);
    log.length = 54_320;
    log.push({ type: 'progress', status: 'started', nodes: [], actions: [], seq: 54_321 });
  }
  await server.advance();
  expect(instances.every(({ status }) => status.get() === 'started')).toBe(true);
  server.rate = RATE;
  return { server, client, instances };
}

/** The requests for each instance after the cut: by the last `hello`, and after it. */
function asked(server: FakeServer) {
  const hello = server.received.map(({ type }) => type).lastIndexOf('hello');
  const named = server.received[hello]!.resume as { instance: string; after: number }[];
  const later = server.received.slice(hello + 1).filter(({ type }) => type === 'subscribe');
  return { named, later };
}

test('1,000 followed instances resume in one hello', async () => {
  const { server, client, instances } = await following(1_000);
  instances.forEach(({ key }) => server.instance(key).push({ type: 'data', body: { missed: true } }));
  server.connection.drop();
  await server.advance(1_000);
  const { named, later } = asked(server);
  expect([named.length, later.length]).toEqual([1_000, 0]);
  expect(client.status.get()).toBe('live');
  expect(instances.every(({ view }) => view.get().missed)).toBe(true);
});

test.each([
  ['a server that takes 64 KiB', 64 * 1024, 'token'],
  ['a token of 8 KiB and a server that takes 64 KiB', 64 * 1024, 'x'.repeat(8_192)],
  ['a proxy that takes 16 KiB', 16 * 1024, 'token'],
])('%s is asked for the rest by subscribe, within its rate', async (_, helloBytes, token) => {
  const { server, client, instances } = await following(1_000, token);
  server.helloBytes = helloBytes;
  server.connection.drop();
  await server.advance(5_000);
  expect(client.status.get()).toBe('live');
  await server.advance(60_000);
  const { named, later } = asked(server);
  const all = [...named.map(({ instance }) => instance), ...later.map(({ channel }) => String(channel).slice(9))];
  expect(new Set(all).size).toBe(1_000);
  expect(all).toHaveLength(1_000);
  expect(later.every(({ after }) => after === 54_321)).toBe(true);
  expect(server.limited).toBe(0);
  expect(server.connections.length).toBeLessThan(6);
  instances.forEach(({ key }) => server.instance(key).push({ type: 'data', body: { late: 1 } }));
  await server.advance();
  expect(instances.every(({ view, error }) => view.get().late === 1 && error.get() === undefined)).toBe(true);
});

test('a hello that is too long without resume points closes the client', async () => {
  const server = new FakeServer();
  const client = connect({ url: 'ws://test', getToken: () => 'x'.repeat(200_000), platform: server.platform });
  await server.advance(60_000);
  expect(client.status.get()).toBe('closed');
  expect(client.lastError.get()).toMatchObject({ code: 'too_large', closeCode: 1009 });
  expect(server.connections).toHaveLength(1);
});

test('ended instances are resumed last', async () => {
  const { server, instances } = await following(3);
  server.instance(keyOf(0)).progress({ status: 'finished' });
  await server.advance();
  expect(instances[0]?.status.get()).toBe('finished');
  server.connection.drop();
  await server.advance(1_000);
  expect(asked(server).named.map(({ instance }) => instance)).toEqual([keyOf(1), keyOf(2), keyOf(0)]);
});

test('an instance or list that is refused temporarily is subscribed again, and nothing is dropped', async () => {
  const { server, client, instances } = await following(1);
  const [instance] = instances;
  const list = tasks(client);
  await server.advance();
  expect(list.tasks.get()).toEqual([]);
  const refusals: string[] = ['busy', 'internal', 'rate_limited'];
  server.on('hello', (frame, connection) => {
    server.answer({ ...frame, resume: [] }, connection);
    connection.push({ type: 'error', channel: `instance/${instance!.key}`, code: 'busy', message: 'full', retryable: true });
  });
  server.on('subscribe', (frame, connection) => {
    const code = refusals.shift();
    if (code === undefined) return server.answer(frame, connection);
    const { id, channel } = frame;
    connection.push({ type: 'error', id, channel, code, message: 'full', retryable: true, afterMs: 100 });
  });
  server.connection.drop();
  await server.advance(10_000);
  server.instance(instance!.key).push({ type: 'data', body: { there: true } });
  server.tasks.push({ type: 'tasks', set: [{ element: 'e1', createdAt: '2030-01-01T00:00:00Z' }], removed: [] });
  await server.advance();
  expect(instance!.view.get()).toEqual({ there: true });
  expect(instance!.error.get()).toBeUndefined();
  expect(list.tasks.get()).toHaveLength(1);
  expect(client.instance('p', instance!.key)).toBe(instance);
  expect(
    asked(server)
      .later.map(({ channel, after }) => [channel, after])
      .filter(([channel]) => channel !== 'tasks'),
  ).toEqual(expect.arrayContaining([[`instance/${instance!.key}`, 54_321]]));
});

test('an instance without access any more is dropped, with the error in its store', async () => {
  const { server, client, instances } = await following(1);
  const [instance] = instances;
  const told: unknown[] = [];
  instance!.error.subscribe((error) => told.push(error?.code));
  server.connection.push({
    type: 'error',
    channel: `instance/${instance!.key}`,
    code: 'not_found',
    message: 'not yours',
    retryable: false,
  });
  await server.advance(60_000);
  expect(told).toEqual(['not_found']);
  expect(server.sent('subscribe')).toHaveLength(1);
  server.connection.drop();
  await server.advance(1_000);
  expect(asked(server).named).toEqual([]);
  expect(client.instance('p', instance!.key)).not.toBe(instance);
});

test('the last close of a resumed tree closes its children', async () => {
  const { server, client, instances } = await following(1);
  const [root] = instances;
  server.connection.cursors.set('c1', 0);
  server.instance(root!.key).push({ type: 'child', child: { instance: 'c1', process: 'q', status: 'started' } });
  server.instance('c1').push({ type: 'data', body: { a: 1 } });
  await server.advance();
  server.connection.drop();
  await server.advance(1_000);
  root!.close();
  await server.advance();
  expect(server.sent('unsubscribe').map(({ channel }) => channel)).toEqual([`instance/${root!.key}`, 'instance/c1']);
  server.instance('c1').push({ type: 'data', body: { a: 2 } });
  await server.advance();
  expect(client.instance('q', 'c1').view.get()).toEqual({});
});
