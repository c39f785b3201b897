/** Files: on a server simulated by the test, and, with STEPWIRE_URL and a token of `root` in STEPWIRE_TOKENS, on a running one. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { connect, type ConnectOptions } from '../src/index.js';
import { FakeServer } from '../src/testing.js';
import { upload } from '../src/upload.js';
import { memoryTokenStore, visitor } from '../src/visitor.js';

const url = process.env.STEPWIRE_URL ?? '';
const tokens = JSON.parse(process.env.STEPWIRE_TOKENS ?? '{}') as Record<string, string>;
afterEach(() => void vi.unstubAllGlobals());

/** A client whose websocket is simulated in memory, and its instance `k`, which offers `bring`. */
async function offering(url: ConnectOptions['url'], options: Partial<ConnectOptions> = {}, action: object = {}) {
  const server = new FakeServer();
  const fake = server.instance('k');
  fake.offer('bring', { element: 'e', type: 'uploadFile', ...action });
  const client = connect({ url, getToken: () => 'token', platform: server.platform, ...options });
  const instance = client.instance('p', 'k');
  await server.advance();
  return { server, fake, client, instance };
}

/** A server that gives these answers, one after the other, and the requests it received. */
async function answering(...answers: [status: number, body: object, headers?: Record<string, string>][]) {
  const asked: { request: IncomingMessage; text: string }[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += String(part);
    asked.push({ request, text });
    const [status, body, headers = {}] = answers.shift() ?? [500, {}];
    if (status === 0) return void request.socket.destroy();
    response.writeHead(status, headers).end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/ws`;
  return { asked, address, close: () => new Promise((done) => server.close(done)) };
}

const DONE = { seq: 1, duplicate: false, file: { id: 'f', name: 'a.txt', size: 5, type: 'text/plain', sha256: 's' } };

test('a file is sent with its data and id, and again with the same id after a broken connection or a busy server', async () => {
  const { asked, address, close } = await answering([0, {}], [503, { code: 'busy', detail: 'expected room' }], [200, DONE]);
  const progress: number[][] = [];
  const { instance } = await offering(`${address}?ticket=t`);
  const sent = await upload(instance, 'bring', new Blob(['hello'], { type: 'text/plain' }), {
    name: 'a.txt',
    data: { note: 'mine' },
    element: 'e',
    ifSeq: 3,
    onProgress: (bytes, total) => progress.push([bytes, total]),
  });
  expect(sent).toEqual(DONE);
  expect(progress).toEqual([[5, 5]]);
  expect(asked.map(({ request }) => request.url)).toEqual(Array(3).fill('/v1/instances/k/upload?action=bring&element=e&ifSeq=3'));
  expect(new Set(asked.map(({ request }) => request.headers['idempotency-key'])).size).toBe(1);
  expect(asked[2]!.request.headers.authorization).toBe('Bearer token');
  expect(asked[2]!.text).toMatch(/name="data"[^]*\{"note":"mine"\}[^]*name="file"; filename="a.txt"[^]*hello/);
  await close();
});

test('it resolves when its effect is in the stores', async () => {
  const { asked, address, close } = await answering([200, { ...DONE, seq: 3 }]);
  const { server, fake, instance } = await offering(address);
  let answered = false;
  const sending = upload(instance, 'bring', new Blob(['hello'])).then(() => {
    answered = true;
    return instance.view.get();
  });
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  fake.data({ paper: 'first' });
  await server.advance();
  expect(answered).toBe(false);
  fake.data({ paper: 'second' });
  await server.advance();
  expect(await sending).toEqual({ paper: 'second' });
  await close();
});

test('the address may be made for each request, and the token is that of the client, requested again once when refused', async () => {
  const { asked, address, close } = await answering([401, { code: 'token_expired', detail: 'over' }], [200, DONE], [401, { code: 'unauthenticated' }], [401, { code: 'unauthenticated' }]);
  const getToken = vi.fn((refused: boolean) => (refused ? 'fresh' : 'stale'));
  const { instance } = await offering(() => address, { getToken });
  await upload(instance, 'bring', new Blob(['x']));
  expect(asked.map(({ request }) => request.headers.authorization)).toEqual(['Bearer stale', 'Bearer fresh']);
  await expect(upload(instance, 'bring', new Blob(['x']))).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(asked).toHaveLength(4);
  await close();
});

test('a visitor sends with the token of the tree', async () => {
  const { asked, address, close } = await answering([200, DONE]);
  const tokens = memoryTokenStore();
  tokens.set('k', 'of the tree');
  const { instance } = await offering(address, { getToken: undefined, visitor: visitor(tokens) });
  await upload(instance, 'bring', new Blob(['x']));
  expect(asked[0]!.request.headers.authorization).toBe('Bearer of the tree');
  await close();
});

test('a refusal rejects like that of a command, and a file that is too large before it is sent', async () => {
  const fields = { file: { code: 'type', message: 'expected a picture', params: {} } };
  const { asked, address, close } = await answering([422, { code: 'invalid_data', detail: 'expected another file', fields }]);
  const { instance, fake, server } = await offering(address);
  await expect(upload(instance, 'bring', new Blob(['x']))).rejects.toMatchObject({ code: 'invalid_data', message: 'expected another file', fields });
  fake.offer('bring', { element: 'e', type: 'uploadFile', maxBytes: 3 });
  await server.advance();
  const message = "expected a file of at most 3 bytes, but 'a.txt' has 5";
  const large = upload(instance, 'bring', new Blob(['12345']), { name: 'a.txt' });
  await expect(large).rejects.toMatchObject({ code: 'too_large', message, fields: { file: { code: 'too_large', message, params: { limit: 3 } } } });
  expect(asked).toHaveLength(1);
  await close();
});

test('a signal ends it while the token is waited for, too', async () => {
  const ending = new AbortController();
  let asked = 0;
  // The first one is that of the connection.
  const getToken = () => (asked++ ? new Promise<never>(() => undefined) : 'token');
  const { instance } = await offering('ws://test', { getToken });
  const waiting = upload(instance, 'bring', new Blob(['x']), { signal: ending.signal });
  ending.abort('enough');
  await expect(waiting).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });
  await expect(upload(instance, 'bring', new Blob(['x']), { signal: ending.signal })).rejects.toMatchObject({ code: 'aborted' });
});

test('in a browser it reports its progress, and a signal ends it', async () => {
  let aborted = 0;
  const sent: string[] = [];
  class FakeRequest {
    status = 200;
    responseText = '{"seq":1,"file":{}}';
    withCredentials = false;
    upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
    onload?: () => void;
    onabort?: () => void;
    open = () => undefined;
    setRequestHeader = () => undefined;
    getResponseHeader = () => null;
    abort() {
      aborted += 1;
      this.onabort?.();
    }
    send(body: FormData) {
      const { name } = body.get('file') as File;
      sent.push(name);
      if (name === 'slow') return;
      for (const loaded of [55, 110]) this.upload.onprogress?.({ loaded, total: 110 });
      this.onload?.();
    }
  }
  vi.stubGlobal('XMLHttpRequest', FakeRequest);
  const progress: number[][] = [];
  const { instance } = await offering('wss://bank.example/v1/ws');
  const onProgress = (bytes: number, total: number) => void progress.push([bytes, total]);
  await upload(instance, 'bring', new Blob(['x'.repeat(100)]), { onProgress });
  expect(progress).toEqual([
    [50, 100],
    [100, 100],
  ]);
  const ending = new AbortController();
  const slow = upload(instance, 'bring', new Blob(['x']), { name: 'slow', signal: ending.signal });
  await vi.waitFor(() => expect(sent).toContain('slow'));
  ending.abort('the user has left');
  await expect(slow).rejects.toMatchObject({ code: 'aborted', cause: 'the user has left' });
  expect(aborted).toBe(1);
});

describe.skipIf(url === '' || tokens.root === undefined)('on a running server', () => {
  test('the sent file is in the data, and the process continues', async () => {
    const process = {
      id: 'sdkUpload',
      nodes: [
        { id: 'start', type: 'startEvent' },
        {
          id: 'papers',
          type: 'userTask',
          actions: [
            { name: 'bring', type: 'uploadFile', trigger: 'manual', keys: [{ path: 'note' }], params: { destination: 'paper', maxBytes: 1000, types: ['text/*'] } },
          ],
        },
        { id: 'end', type: 'endEvent' },
      ],
      flows: [
        { id: 'f1', source: 'start', target: 'papers' },
        { id: 'f2', source: 'papers', target: 'end' },
      ],
    };
    const deployed = await fetch(`${url.replace(/^ws/, 'http').replace(/\/ws$/, '')}/definitions?publish=true`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.root}`, 'content-type': 'application/json' },
      body: JSON.stringify(process),
    });
    expect(deployed.ok, await deployed.text()).toBe(true);
    const getToken = () => tokens.ada;
    const client = connect({ url, webSocket: WebSocket, getToken });
    const instance = await client.start('sdkUpload');
    expect(instance.actions.get()[0]).toMatchObject({ name: 'bring', maxBytes: 1000, types: ['text/*'] });
    await expect(upload(instance, 'bring', new Blob(['x'.repeat(1001)]))).rejects.toMatchObject({ code: 'too_large' });
    const picture = upload(instance, 'bring', new Blob(['x'], { type: 'image/png' }));
    await expect(picture).rejects.toMatchObject({ code: 'invalid_data', fields: { file: expect.anything() as unknown } });
    const { file, duplicate, seq } = await upload(instance, 'bring', new Blob(['hello'], { type: 'text/plain' }), { name: 'a.txt', data: { note: 'mine' } });
    const sha256 = createHash('sha256').update('hello').digest('hex');
    expect([duplicate, file]).toMatchObject([false, { name: 'a.txt', size: 5, type: 'text/plain', sha256 }]);
    expect([instance.status.get(), seq]).toEqual(['finished', expect.any(Number)]);
    client.close();
  }, 20_000);
});
