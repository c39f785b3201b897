import { expect, test } from 'vitest';
import { connect, type ConnectOptions, localTokenStore, memoryTokenStore, StepwireError } from '../src/index.js';
import { FakeServer } from '../src/testing.js';

async function live(options: Partial<ConnectOptions> = {}) {
  const server = new FakeServer();
  const client = connect({ url: 'ws://test', getToken: () => 'token', platform: server.platform, ...options });
  await server.advance();
  expect(client.status.get()).toBe('live');
  return { server, client };
}

test('a lost connection resumes from the cursor with log and close code', async () => {
  const { server, client } = await live();
  const fake = server.instance('k');
  fake.push({ type: 'data', body: { a: 1 } });
  fake.view = { a: 1 };
  const instance = client.instance('p', 'k');
  await server.advance();
  server.connection.drop(1006);
  await server.advance(0);
  expect(client.status.get()).toBe('reconnecting');
  fake.push({ type: 'data', body: { b: 2 } });
  await server.advance(250);
  expect(server.sent('hello')[1]).toMatchObject({ resume: [{ instance: 'k', after: 1 }], log: 'log-1', lastClose: 1006 });
  expect(instance.view.get()).toEqual({ a: 1, b: 2 });
  expect(server.sent('subscribe')).toHaveLength(1);
});

test('an unanswered command is sent again unchanged, with the same id', async () => {
  const { server, client } = await live();
  server.on('run', () => undefined);
  const running = client.instance('p', 'k').run('save', { a: 1 });
  await server.advance();
  server.on('run', ({ id }, connection) => connection.push({ type: 'reply', id, seq: 0, duplicate: true, result: {} }));
  server.connection.drop(1012);
  await server.advance(250);
  expect((await running).duplicate).toBe(true);
  const [first, second] = server.sent('run');
  expect(second).toEqual(first);
  expect(first?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('a ping is answered, and silence for twice its time is a loss', async () => {
  const { server, client } = await live();
  await server.advance(40_000);
  server.connection.push({ type: 'ping' });
  await server.advance(40_000);
  expect(server.sent('pong')).toHaveLength(1);
  expect(client.status.get()).toBe('live');
  await server.advance(10_000);
  expect(server.connections[0]?.closedWith).toBe(4000);
  expect(client.status.get()).toBe('reconnecting');
});

test('waits grow with full jitter, and start small again after a good connection', async () => {
  const { server } = await live();
  server.on('hello', (_, connection) => connection.drop(1006));
  const gaps: number[] = [];
  server.connection.drop(1011);
  for (let tries = 0; tries < 4; tries += 1) {
    const from = server.connections.length;
    let waited = 0;
    for (; server.connections.length === from; waited += 125) await server.advance(125);
    gaps.push(waited);
  }
  expect(gaps).toEqual([125, 250, 500, 1000]);
});

test.each([
  [4403, 'forbidden'],
  [4408, 'unauthenticated'],
  [4409, 'unauthenticated'],
])('%d stops', async (code, error) => {
  const { server, client } = await live();
  server.on('run', () => undefined);
  const running = client
    .instance('p', 'k')
    .run('save')
    .catch((reason: unknown) => reason);
  server.connection.drop(code);
  await server.advance(60_000);
  expect(client.status.get()).toBe('signedOut');
  expect(await running).toMatchObject({ code: error });
  expect(server.connections).toHaveLength(1);
});

test('4401 is worth one new token, asked for as refused', async () => {
  const asked: boolean[] = [];
  const { server, client } = await live({ getToken: (refused) => `token-${asked.push(refused)}` });
  server.connection.drop(4401);
  await server.advance();
  expect(client.status.get()).toBe('live');
  expect(server.sent('hello')[1]).toMatchObject({ token: 'token-2' });
  server.on('hello', (_, connection) => connection.drop(4401));
  server.connection.drop(4401);
  await server.advance();
  expect(asked).toEqual([false, true, true]);
  expect(client.status.get()).toBe('signedOut');
});

test('4429 waits ten seconds, and waking does not shorten it', async () => {
  const { server } = await live();
  server.connection.drop(4429);
  await server.advance(9_000);
  server.wake();
  await server.advance(0);
  expect(server.connections).toHaveLength(1);
  await server.advance(1_500);
  expect(server.connections).toHaveLength(2);
});

test('bye says when to come back', async () => {
  const { server } = await live();
  server.connection.push({ type: 'bye', reason: 'restart', reconnectAfterMs: 1830 });
  server.connection.drop(1012);
  await server.advance(1829);
  expect(server.connections).toHaveLength(1);
  await server.advance(1);
  expect(server.connections).toHaveLength(2);
});

test('without network it is offline, and tries at once when that comes back', async () => {
  const { server, client } = await live();
  server.online = false;
  server.on('hello', (_, connection) => connection.drop(1006));
  server.connection.drop(1006);
  await server.advance(20_000);
  expect(client.status.get()).toBe('offline');
  server.on('hello', (frame, connection) => server.answer(frame, connection));
  server.wake();
  await server.advance();
  expect(client.status.get()).toBe('live');
});

test('a token is renewed in band before it expires', async () => {
  const server = new FakeServer();
  let tokens = 0;
  server.on('hello', (_, connection) => {
    const expiresAt = new Date(server.now + 600_000).toISOString();
    connection.push({ type: 'welcome', log: 'l', pingSeconds: 600, expiresAt });
  });
  connect({ url: 'ws://test', getToken: () => `token-${++tokens}`, platform: server.platform });
  await server.advance(569_000);
  expect(server.sent('auth')).toHaveLength(0);
  await server.advance(1_000);
  expect(server.sent('auth')).toMatchObject([{ token: 'token-2' }]);
});

test('an anonymous start sends a nonce, and its token is used from then on', async () => {
  const tokenStore = memoryTokenStore();
  const { server, client } = await live({ getToken: undefined, tokenStore });
  server.on('start', ({ id }, connection) =>
    connection.push({ type: 'reply', id, seq: 0, result: { instance: 'k', token: 'visitor' } }),
  );
  const starting = client.start('p');
  await server.advance();
  await starting;
  expect(server.sent('start')[0]?.nonce).toMatch(/^[0-9a-f]{32}$/);
  expect(tokenStore.get()).toBe('visitor');
  server.connection.drop();
  await server.advance(500);
  expect(server.sent('hello')[1]).toMatchObject({ token: 'visitor' });
});

test('a url callback is asked each time, and may sign out', async () => {
  let tickets = 0;
  const url = () => {
    if (tickets++ > 0) throw new StepwireError({ code: 'unauthenticated', message: 'signed out elsewhere' });
    return `ws://test?ticket=${tickets}`;
  };
  const { server, client } = await live({ url, getToken: undefined });
  expect(server.connection.url).toBe('ws://test?ticket=1');
  server.connection.drop(1006);
  await server.advance(1_000);
  expect(client.status.get()).toBe('signedOut');
});

test('after close nothing is sent, and commands reject', async () => {
  const { server, client } = await live();
  client.close();
  await server.advance(60_000);
  expect(server.connection.closedWith).toBe(1000);
  expect(server.connections).toHaveLength(1);
  await expect(client.start('p')).rejects.toMatchObject({ code: 'closed' });
});

test('the frame log masks secrets', async () => {
  const log: unknown[] = [];
  await live({ debug: (direction, frame) => log.push([direction, frame.type, frame.token]) });
  expect(log[0]).toEqual(['out', 'hello', '…']);
  expect(localTokenStore('name')).toBeDefined();
});
