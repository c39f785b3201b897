/** Files: on a server that is played by hand, and, with STEPWIRE_URL and a token of `root` in STEPWIRE_TOKENS, on a running one. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { connect, type Instance } from '../src/index.js';
import { uploader } from '../src/upload.js';

const url = process.env.STEPWIRE_URL ?? '';
const tokens = JSON.parse(process.env.STEPWIRE_TOKENS ?? '{}') as Record<string, string>;
afterEach(() => void vi.unstubAllGlobals());

const offering = (action: object = {}) => ({ key: 'k', actions: { get: () => [{ name: 'bring', element: 'e', ...action }] } }) as unknown as Instance;

/** A server that answers with these, one after the other, and what it was asked. */
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

test('a file goes with its data and its id, and again with the same id after a broken connection or a busy server', async () => {
  const done = { seq: 7, duplicate: false, file: { id: 'f', name: 'a.txt', size: 5, type: 'text/plain', sha256: 's' } };
  const { asked, address, close } = await answering([0, {}], [503, { code: 'busy', detail: 'expected room' }], [200, done]);
  const progress: number[][] = [];
  const upload = uploader({ url: address, getToken: (key) => `token of ${key}` });
  const sent = await upload(offering(), 'bring', new Blob(['hello'], { type: 'text/plain' }), {
    name: 'a.txt',
    data: { note: 'mine' },
    element: 'e',
    ifSeq: 3,
    onProgress: (bytes, total) => progress.push([bytes, total]),
  });
  expect(sent).toEqual(done);
  expect(progress).toEqual([[5, 5]]);
  expect(asked.map(({ request }) => request.url)).toEqual(Array(3).fill('/v1/instances/k/upload?action=bring&element=e&ifSeq=3'));
  expect(new Set(asked.map(({ request }) => request.headers['idempotency-key'])).size).toBe(1);
  expect(asked[2]!.request.headers.authorization).toBe('Bearer token of k');
  expect(asked[2]!.text).toMatch(/name="data"[^]*\{"note":"mine"\}[^]*name="file"; filename="a.txt"[^]*hello/);
  await close();
});

test('a refusal is told as a command has it, one that is too large before it is sent', async () => {
  const fields = { file: { code: 'type', message: 'expected a picture', params: {} } };
  const { asked, address, close } = await answering([422, { code: 'invalid_data', detail: 'expected another file', fields }]);
  const upload = uploader({ url: address });
  await expect(upload(offering(), 'bring', new Blob(['x']))).rejects.toMatchObject({ code: 'invalid_data', message: 'expected another file', fields });
  const large = upload(offering({ maxBytes: 3 }), 'bring', new Blob(['12345']), { name: 'a.txt' });
  await expect(large).rejects.toMatchObject({ code: 'too_large', message: "expected a file of at most 3 bytes, but 'a.txt' has 5" });
  expect(asked).toHaveLength(1);
  await close();
});

test('in a browser it tells how far it is, and a signal ends it', async () => {
  let aborted = 0;
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
      if ((body.get('file') as File).name === 'slow') return;
      for (const loaded of [55, 110]) this.upload.onprogress?.({ loaded, total: 110 });
      this.onload?.();
    }
  }
  vi.stubGlobal('XMLHttpRequest', FakeRequest);
  const progress: number[][] = [];
  const upload = uploader({ url: 'wss://bank.example/v1/ws' });
  const onProgress = (bytes: number, total: number) => void progress.push([bytes, total]);
  await upload(offering(), 'bring', new Blob(['x'.repeat(100)]), { onProgress });
  expect(progress).toEqual([
    [50, 100],
    [100, 100],
  ]);
  const ending = new AbortController();
  const slow = upload(offering(), 'bring', new Blob(['x']), { name: 'slow', signal: ending.signal });
  await Promise.resolve().then(() => undefined);
  ending.abort('the user has left');
  await expect(slow).rejects.toMatchObject({ code: 'aborted', cause: 'the user has left' });
  expect(aborted).toBe(1);
});

describe.skipIf(url === '' || tokens.root === undefined)('on a running server', () => {
  test('what was sent is in the data, and the process goes on', async () => {
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
    const upload = uploader({ url, getToken });
    const instance = await client.start('sdkUpload');
    expect(instance.actions.get()[0]).toMatchObject({ name: 'bring', maxBytes: 1000, types: ['text/*'] });
    await expect(upload(instance, 'bring', new Blob(['x'.repeat(1001)]))).rejects.toMatchObject({ code: 'too_large' });
    const picture = upload(instance, 'bring', new Blob(['x'], { type: 'image/png' }));
    await expect(picture).rejects.toMatchObject({ code: 'invalid_data', fields: { file: expect.anything() as unknown } });
    const { file, duplicate } = await upload(instance, 'bring', new Blob(['hello'], { type: 'text/plain' }), { name: 'a.txt', data: { note: 'mine' } });
    const sha256 = createHash('sha256').update('hello').digest('hex');
    expect([duplicate, file]).toMatchObject([false, { name: 'a.txt', size: 5, type: 'text/plain', sha256 }]);
    await vi.waitFor(() => expect(instance.status.get()).toBe('finished'));
    client.close();
  }, 20_000);
});
