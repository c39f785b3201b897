import { expect, test, vi } from 'vitest';
import { connect, type ConnectOptions, StepwireError } from '../src/index.js';
import { frameLog } from '../src/debug.js';
import { FakeServer } from '../src/testing.js';
import { localTokenStore, memoryTokenStore, visitor } from '../src/visitor.js';

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
  [4400, 'bad_request', 'closed'],
  [4403, 'forbidden', 'signedOut'],
  [4408, 'unauthenticated', 'signedOut'],
  [4499, 'closed', 'closed'],
])('%d stops, and all that waits is told %s', async (code, error, status) => {
  const { server, client } = await live();
  server.on('run', () => undefined);
  const instance = client.instance('p', 'k');
  const running = instance.run('save').catch((reason: unknown) => reason);
  server.connection.drop(code, 'why');
  await server.advance(60_000);
  expect(client.status.get()).toBe(status);
  expect(await running).toMatchObject({ code: error, closeCode: code, message: expect.stringContaining('why') });
  expect(client.lastError.get()).toBe(await running);
  expect(instance.error.get()).toBe(await running);
  expect(client.lastError.get()?.afterMs).toBeUndefined();
  await expect(client.start('p')).rejects.toMatchObject({ code: error });
  expect(server.connections).toHaveLength(1);
});

test('4400 reports the preceding error of the server', async () => {
  const { server, client } = await live();
  const message = "expected 'after' to be a number";
  server.connection.push({ type: 'error', code: 'bad_request', message, fields: { after: 'no number' } });
  server.connection.drop(4400, 'a frame was wrong');
  await server.advance();
  const error = client.lastError.get();
  expect(error).toMatchObject({ code: 'bad_request', fields: { after: 'no number' } });
  expect(error?.message).toContain(message);
});

test.each([1000, 1001, 1006, 1011, 1012, 1013, 4000, 4001, 4002])('%d reconnects', async (code) => {
  const { server, client } = await live();
  server.connection.drop(code);
  await server.advance(300);
  expect(client.status.get()).toBe('live');
  expect(server.sent('hello')[1]).toMatchObject({ lastClose: code });
});

test('4401 asks for one new token', async () => {
  const asked: boolean[] = [];
  const { server, client } = await live({ getToken: (refused) => `token-${asked.push(refused)}` });
  server.connection.drop(4401);
  await server.advance();
  expect(client.status.get()).toBe('live');
  expect(server.sent('hello')[1]).toMatchObject({ token: 'token-2' });
  server.on('hello', (_, connection) => connection.drop(4401));
  server.connection.drop(4401);
  await server.advance(500);
  expect(asked).toEqual([false, true, true]);
  expect(client.status.get()).toBe('signedOut');
  expect(client.lastError.get()).toMatchObject({ code: 'unauthenticated', closeCode: 4401 });
});

test('a server that repeatedly welcomes and closes gets growing waits', async () => {
  const { server } = await live();
  server.on('hello', (frame, connection) => {
    server.answer(frame, connection);
    connection.drop(4401);
  });
  server.connection.drop(4401);
  await server.advance(10_000);
  expect(server.connections.length).toBeLessThan(12);
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

test('bye sets the time of the reconnect', async () => {
  const { server } = await live();
  server.connection.push({ type: 'bye', reason: 'restart', reconnectAfterMs: 1830 });
  server.connection.drop(1012);
  await server.advance(1829);
  expect(server.connections).toHaveLength(1);
  await server.advance(1);
  expect(server.connections).toHaveLength(2);
});

test('a lost connection is shown after five seconds', async () => {
  const { server, client } = await live();
  const seen: string[] = [];
  client.status.subscribe((status) => seen.push(status));
  server.on('hello', (_, connection) => connection.drop(1006));
  server.connection.drop(1006);
  await server.advance(4_999);
  expect(seen).toEqual(['reconnecting']);
  await server.advance(1);
  expect(seen).toEqual(['reconnecting', 'lost']);
  server.on('hello', (frame, connection) => server.answer(frame, connection));
  await server.advance(15_000);
  expect(seen).toEqual(['reconnecting', 'lost', 'live']);
  expect(client.lastError.get()).toBeUndefined();
  server.connection.drop(1006);
  await server.advance();
  expect(client.status.get()).toBe('reconnecting');
});

test('after a sleep a dead connection is given up at once, a silent one soon', async () => {
  const { server, client } = await live();
  // The device slept: time passed, but no timer fired.
  server.now += 60_000;
  server.wake();
  await server.advance();
  expect(client.status.get()).not.toBe('live');
  await server.advance(1_000);
  expect(client.status.get()).toBe('live');
  server.now += 30_000;
  server.wake();
  await server.advance(4_999);
  expect(client.status.get()).toBe('live');
  await server.advance(1);
  expect(client.status.get()).not.toBe('live');
});

test('without network it is offline, and reconnects at once when the network returns', async () => {
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
  const { server, client } = await live({ getToken: undefined, visitor: visitor(tokenStore) });
  server.on('start', ({ id }, connection) =>
    connection.push({ type: 'reply', id, seq: 0, result: { instance: 'k', token: 'visitor' } }),
  );
  const starting = client.start('p');
  await server.advance();
  await starting;
  expect(server.sent('start')[0]?.nonce).toMatch(/^[0-9a-f]{32}$/);
  expect(tokenStore.get('k')).toBe('visitor');
  server.connection.drop();
  await server.advance(500);
  expect(server.sent('hello')[1]).toMatchObject({ token: 'visitor' });
});

test('a getToken that always returns the same token is not called endlessly', async () => {
  const server = new FakeServer();
  let asked = 0;
  const expiresAt = new Date(server.now + 60_000).toISOString();
  server.on('hello', (_, connection) => connection.push({ type: 'welcome', log: 'l', pingSeconds: 600, expiresAt }));
  server.on('auth', ({ id }, connection) => connection.push({ type: 'reply', id, result: { expiresAt } }));
  connect({ url: 'ws://test', getToken: () => `token-${++asked}`, platform: server.platform });
  await server.advance(60_000);
  expect(asked).toBeLessThan(10);
});

test('a url callback is called for each connection, and may sign out', async () => {
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

test('without a connection start rejects at its time limit, with lastError', async () => {
  const server = new FakeServer();
  const told: unknown[] = [];
  const platform = {
    ...server.platform,
    _open: (url: string, subprotocol: string) => {
      const connection = server.platform._open(url, subprotocol) as (typeof server)['connection'];
      connection.onerror?.({ message: 'ECONNREFUSED' });
      server.later(() => connection.onerror?.({ message: 'connect ECONNREFUSED' }));
      connection.drop(1006);
      connection.open = false;
      return connection;
    },
  };
  const client = connect({
    url: 'ws://nowhere/v1/ws?ticket=secret',
    getToken: () => 'token',
    platform,
  });
  client.lastError.subscribe((error) => told.push([error?.code, error?.message, error?.afterMs]));
  const starting = client.start('p', { timeout: 3_000 }).catch((error: unknown) => error);
  await server.advance(3_000);
  const error = (await starting) as StepwireError;
  expect(error).toMatchObject({ code: 'timeout', name: 'TimeoutError', cause: client.lastError.get() });
  expect(error.message).toMatch(/none came in 3000 ms: .*ws:\/\/nowhere\/v1\/ws.*1006: connect ECONNREFUSED/);
  expect(error.message).not.toContain('secret');
  expect(client.lastError.get()).toMatchObject({ code: 'unreachable', closeCode: 1006 });
  expect(told.slice(0, 2)).toEqual([
    ['unreachable', client.lastError.get()?.message, 125],
    ['unreachable', client.lastError.get()?.message, 250],
  ]);
  client.close();
  const count = server.connections.length;
  await server.advance(60_000);
  expect(server.connections).toHaveLength(count);
});

test('a getToken that fails is reported, and called again', async () => {
  const server = new FakeServer();
  let tries = 0;
  const getToken = async () => {
    if (tries++ === 0) throw new Error('identity provider is down');
    return 'token';
  };
  const client = connect({ url: 'ws://test', getToken, platform: server.platform });
  await server.advance();
  expect(client.lastError.get()).toMatchObject({
    code: 'unreachable',
    message: expect.stringContaining('identity provider is down'),
  });
  await server.advance(250);
  expect(client.status.get()).toBe('live');
  expect(client.lastError.get()).toBeUndefined();
});

test('a getToken that never resolves delays no time limit, and is called again', async () => {
  const server = new FakeServer();
  const getToken = vi.fn().mockReturnValueOnce(new Promise(() => undefined)).mockReturnValue('token');
  const client = connect({ url: 'ws://test', getToken, platform: server.platform });
  const starting = client.start('p', { timeout: 1_000 }).catch((error: StepwireError) => error.code);
  const patient = client.start('p');
  await server.advance(1_000);
  expect(await starting).toBe('timeout');
  await server.advance(28_999);
  expect([getToken.mock.calls.length, client.status.get()]).toEqual([1, 'connecting']);
  await server.advance(1);
  expect(client.lastError.get()).toMatchObject({ code: 'unreachable' });
  await server.advance(250);
  expect([getToken.mock.calls.length, client.status.get()]).toEqual([2, 'live']);
  expect((await patient).key).toBe('key-p');
});

test('an invalid address closes the client with a sentence', async () => {
  const server = new FakeServer();
  const platform = {
    ...server.platform,
    _open() {
      throw new SyntaxError('Invalid URL');
    },
  };
  const client = connect({ url: 'nonsense', platform, getToken: () => 'token' });
  const starting = client.start('p');
  await expect(starting).rejects.toMatchObject({ code: 'bad_request', message: expect.stringContaining('connection to nonsense, but') });
  expect(client.status.get()).toBe('closed');
});

test('a client closed at once does not connect', async () => {
  const server = new FakeServer();
  const client = connect({ url: 'ws://test', platform: server.platform, getToken: () => 'token' });
  const starting = client.start('p').catch((error: unknown) => error);
  client.close();
  await server.advance(60_000);
  expect(server.connections).toHaveLength(0);
  expect(await starting).toMatchObject({ code: 'closed' });
});

test('signing out rejects all that waits', async () => {
  const { server, client } = await live();
  server.on('run', () => undefined);
  const running = client
    .instance('p', 'k')
    .run('save')
    .catch((error: unknown) => error);
  await server.advance();
  client.signOut();
  expect(await running).toMatchObject({ code: 'unauthenticated' });
  client.close();
  expect(client.status.get()).toBe('signedOut');
  await expect(client.start('p')).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('an error in a listener, or an invalid frame, does not end the client', async () => {
  const complaints = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const { server, client } = await live({
    onAction: () => {
      throw new Error('in onAction');
    },
    debug: () => {
      throw new Error('in debug');
    },
  });
  const instance = client.instance('p', 'k');
  instance.view.subscribe(() => {
    throw new Error('in a listener');
  });
  instance.onAction(() => {
    throw new Error('in a handler');
  });
  const fake = server.instance('k');
  await server.advance();
  server.connection.onmessage?.({ data: 'no JSON' });
  server.connection.onmessage?.({ data: 'null' });
  server.connection.onmessage?.({ data: '{"type":"progress","channel":"instance/k","seq":1,"prev":0}' });
  fake.push({ type: 'data', body: { a: 1 } });
  fake.push({ type: 'action', node: 'n', body: { ask: 1 } });
  await server.advance(100);
  expect(client.status.get()).toBe('live');
  expect(complaints.mock.calls.map(([error]) => (error as Error).message)).toContain('in a handler');
  complaints.mockRestore();
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
  await live({ debug: frameLog((direction, frame) => log.push([direction, frame.type, frame.token])) });
  expect(log[0]).toEqual(['out', 'hello', '…']);
  expect(localTokenStore('name')).toBeDefined();
});

test('an address that is missing ends the client at once', async () => {
  const server = new FakeServer();
  const platform = {
    ...server.platform,
    _open: (url: string) => {
      throw new SyntaxError(`Invalid URL: ${url}`);
    },
  };
  const client = connect({ url: undefined as unknown as string, getToken: () => 'token', platform });
  await server.advance();
  expect(client.status.get()).toBe('closed');
  expect(client.lastError.get()).toMatchObject({ code: 'bad_request' });
});
