/** Real sockets, without a Stepwire server: missing features of runtimes, and faults of networks. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Client, connect, type ConnectOptions, type StepwireError, type Store } from '../src/index.js';

let http: Server;
let url: string;
const clients: Client[] = [];
const uncaught: unknown[] = [];
const note = (error: unknown) => void uncaught.push(error);

beforeEach(async () => {
  http = createServer((_, response) => response.writeHead(403).end('origin not allowed'));
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/v1/ws`;
  uncaught.length = 0;
  process.on('unhandledRejection', note).on('uncaughtException', note);
});

afterEach(async () => {
  clients.splice(0).forEach((client) => client.close());
  vi.unstubAllGlobals();
  http.closeAllConnections();
  await new Promise((done) => http.close(done));
  // Uncaught errors are reported in a later turn of the event loop.
  await new Promise((done) => setImmediate(done));
  process.off('unhandledRejection', note).off('uncaughtException', note);
  expect(uncaught).toEqual([]);
});

function open(options: Partial<ConnectOptions> = {}): Client {
  const client = connect({ url, webSocket: WebSocket, getToken: () => 'token', ...options });
  clients.push(client);
  return client;
}

/** The next error of the connection. */
function nextError({ lastError }: Client): Promise<StepwireError> {
  return new Promise((resolve) => {
    const end = lastError.subscribe((error) => {
      if (!error) return;
      end();
      resolve(error);
    });
  });
}

const until = <T>(store: Store<T>, value: T): Promise<void> =>
  new Promise((resolve) => {
    if (store.get() === value) return resolve();
    const end = store.subscribe((next) => {
      if (next !== value) return;
      end();
      resolve();
    });
  });

/** A server that accepts every client, and answers each command. */
function welcoming(): WebSocketServer {
  return new WebSocketServer({ server: http }).on('connection', (socket) => {
    socket.on('message', (text) => {
      const { type, id } = JSON.parse(String(text)) as { type: string; id?: string };
      const welcome = { type: 'welcome', connection: 'c', user: 'u', log: 'l', pingSeconds: 25 };
      socket.send(JSON.stringify(type === 'hello' ? welcome : { type: 'reply', id, result: { instance: 'k' } }));
    });
  });
}

test('a runtime without WebSocket gets an error that names the option', async () => {
  vi.stubGlobal('WebSocket', undefined);
  const client = open({ webSocket: undefined });
  const error = await client.start('p').catch((refusal: unknown) => refusal);
  expect(error).toMatchObject({ code: 'unsupported', message: expect.stringContaining("option 'webSocket'") });
  expect(client.lastError.get()).toBe(error);
  expect(client.status.get()).toBe('closed');
});

test('the global WebSocket is used where there is one, and the given one before it', async () => {
  const server = welcoming();
  vi.stubGlobal('WebSocket', WebSocket);
  const client = open({ webSocket: undefined });
  expect((await client.start('p')).key).toBe('k');
  vi.stubGlobal('WebSocket', undefined);
  const other = open();
  expect((await other.start('p')).key).toBe('k');
  client.close();
  other.close();
  server.close();
});

test('an unreachable server: the reason is reported, and it keeps trying', async () => {
  await new Promise((done) => http.close(done));
  const client = open();
  expect(await nextError(client)).toMatchObject({
    code: 'unreachable',
    closeCode: 1006,
    message: expect.stringContaining('ECONNREFUSED'),
    cause: expect.objectContaining({ code: 'ECONNREFUSED' }),
  });
  expect(client.status.get()).toBe('reconnecting');
  const error = await client.start('p', { timeout: 1 }).catch((refusal: unknown) => refusal);
  expect(error).toMatchObject({ code: 'timeout', cause: client.lastError.get() });
  http = createServer();
  await new Promise<void>((done) => http.listen(Number(new URL(url).port), '127.0.0.1', done));
  const server = welcoming();
  await until(client.status, 'live');
  client.close();
  server.close();
});

test('a refused upgrade is reported with the server\'s sentence', async () => {
  const client = open();
  expect((await nextError(client)).message).toContain('Unexpected server response: 403');
});

test('closing while connecting is safe', async () => {
  const server = welcoming();
  for (const turns of [0, 1, 2, 3, 5, 8]) {
    const client = open();
    const starting = client.start('p').catch((error: StepwireError) => error.code);
    for (let turn = 0; turn < turns; turn += 1) await new Promise((done) => setImmediate(done));
    client.close();
    expect(['closed', expect.objectContaining({ key: 'k' })]).toContainEqual(await starting);
  }
  server.close();
});

test('invalid frames of a server are survived', async () => {
  const complaints = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const server = new WebSocketServer({ server: http }).on('connection', (socket) => {
    for (const text of ['', 'nonsense', 'null', '7', '[]', '{}', '{"type":7}', '{"type":"snapshot","channel":"instance/k"}'])
      socket.send(text);
    socket.send(Buffer.from([0, 1, 2]));
    socket.close(4400, 'that was no hello');
  });
  const client = open();
  const error = await client.start('p').catch((refusal: unknown) => refusal);
  expect(error).toMatchObject({ code: 'bad_request', closeCode: 4400, message: expect.stringContaining('that was no hello') });
  complaints.mockRestore();
  server.close();
});
