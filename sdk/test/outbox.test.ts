import { expect, test } from 'vitest';
import { connect, type ConnectOptions } from '../src/index.js';
import { FakeServer } from '../src/testing.js';
import { visitor } from '../src/visitor.js';

async function live(options: Partial<ConnectOptions> = {}, rate?: FakeServer['rate']) {
  const server = new FakeServer();
  server.rate = rate;
  const client = connect({ url: 'ws://test', getToken: () => 'token', platform: server.platform, ...options });
  await server.advance();
  return { server, client };
}

/** Refuses the first frames of a type. */
function refuse(
  server: FakeServer,
  type: string,
  times: number,
  error: { code: string; afterMs?: number; retryable?: boolean },
): void {
  let left = times;
  server.on(type, (frame, connection) => {
    if (left-- <= 0) return server.answer(frame, connection);
    connection.push({ type: 'error', id: frame.id, message: 'not now', retryable: true, ...error });
  });
}

const caught = (work: Promise<unknown>) => work.catch((error: unknown) => error);

test('a command answered busy is sent again with the same id', async () => {
  const { server, client } = await live();
  refuse(server, 'run', 3, { code: 'busy' });
  const running = client.instance('p', 'k').run('save', { a: 1 });
  await server.advance(5_000);
  expect(await running).toMatchObject({ duplicate: false });
  const sent = server.sent('run');
  expect(sent).toHaveLength(4);
  expect(new Set(sent.map((frame) => JSON.stringify(frame))).size).toBe(1);
});

test('a command of unknown outcome is sent again with the same id', async () => {
  const { server, client } = await live();
  refuse(server, 'run', 2, { code: 'outcome_unknown' });
  const running = client.instance('p', 'k').run('save', { a: 1 });
  await server.advance(5_000);
  expect(await running).toMatchObject({ duplicate: false });
  expect(new Set(server.sent('run').map((frame) => frame.id)).size).toBe(1);
});

test('a server that stays busy is reported in the end', async () => {
  const { server, client } = await live();
  refuse(server, 'run', Infinity, { code: 'busy' });
  const running = caught(client.instance('p', 'k').run('save'));
  await server.advance(60_000);
  expect(await running).toMatchObject({ code: 'busy', retryable: true });
  expect(server.sent('run')).toHaveLength(9);
});

test('afterMs is honoured, also for everything else that waits', async () => {
  const { server, client } = await live();
  refuse(server, 'run', 1, { code: 'rate_limited', afterMs: 2_000 });
  const first = client.instance('p', 'k').run('save');
  await server.advance();
  const second = client.instance('p', 'k').run('other');
  await server.advance(1_999);
  expect(server.sent('run')).toHaveLength(1);
  await server.advance(300);
  expect(server.sent('run').map(({ action }) => action)).toEqual(['save', 'other', 'save']);
  await Promise.all([first, second]);
});

test('a command that waits as told succeeds in the end, even if others were faster', async () => {
  const { server, client } = await live();
  refuse(server, 'run', 30, { code: 'rate_limited', afterMs: 100 });
  const running = client.instance('p', 'k').run('save');
  await server.advance(30 * 350 + 100);
  expect(await running).toMatchObject({ duplicate: false });
  expect(server.sent('run')).toHaveLength(31);
});

test('a final refusal rejects at once', async () => {
  const { server, client } = await live();
  refuse(server, 'run', 1, { code: 'conflict', retryable: false });
  refuse(server, 'claim', 1, { code: 'internal' });
  const instance = client.instance('p', 'k');
  const [running, claiming] = [caught(instance.run('save')), caught(instance.command('claim', { element: 'e' }))];
  await server.advance();
  expect(await running).toMatchObject({ code: 'conflict', name: 'StepwireError' });
  // The app decides what to do about an internal error of the server.
  expect(await claiming).toMatchObject({ code: 'internal', retryable: true });
});

test('commands never run into the rate limit, and go before subscriptions', async () => {
  const { server, client } = await live({}, { perSecond: 20, burst: 60 });
  for (let index = 0; index < 300; index += 1) client.instance('p', `k${index}`);
  await server.advance(500);
  const running = client.instance('p', 'k0').run('save');
  await server.advance(100);
  await running;
  expect(server.sent('subscribe').length).toBeLessThan(70);
  await server.advance(20_000);
  expect(server.sent('subscribe')).toHaveLength(300);
  expect(server.limited).toBe(0);
});

test('a limit of one message is a limit, too', async () => {
  const { server, client } = await live({}, { perSecond: 1, burst: 1 });
  const work = Promise.all(['a', 'b', 'c'].map((action) => client.instance('p', 'k').run(action)));
  await server.advance(10_000);
  await work;
  expect(server.limited).toBe(0);
});

test('a signal ends the wait, and its reason is the cause', async () => {
  const { server, client } = await live();
  server.on('run', () => undefined);
  const controller = new AbortController();
  const running = caught(client.instance('p', 'k').run('save', {}, { signal: controller.signal }));
  await server.advance();
  controller.abort('changed my mind');
  expect(await running).toMatchObject({ code: 'aborted', name: 'AbortError', cause: 'changed my mind' });
  server.connection.drop();
  await server.advance(1_000);
  expect(server.sent('run')).toHaveLength(1);
  expect(await caught(client.start('p', { signal: AbortSignal.abort() }))).toMatchObject({ code: 'aborted' });
});

test('a time limit is that of the command, or of the client', async () => {
  const { server, client } = await live({ timeout: 1_000 });
  server.on('run', () => undefined);
  const instance = client.instance('p', 'k');
  const [short, usual, long] = [50, undefined, Infinity].map((timeout) => caught(instance.run('save', {}, { timeout })));
  await server.advance(50);
  expect(await short).toMatchObject({ code: 'timeout' });
  await server.advance(949);
  expect(await Promise.race([usual, 'waits'])).toBe('waits');
  await server.advance(1);
  expect(await usual).toMatchObject({ code: 'timeout', message: "expected an answer to 'run', but none came in 1000 ms" });
  await server.advance(10_000_000);
  expect(await Promise.race([long, 'waits'])).toBe('waits');
});

test('an applied command with late frames is no failure', async () => {
  const { server, client } = await live();
  server.on('run', ({ id }, connection) => connection.push({ type: 'reply', id, seq: 7, result: { ignored: ['x'] } }));
  const instance = client.instance('p', 'k');
  await server.advance();
  const controller = new AbortController();
  const limited = instance.run('save', {}, { timeout: 1_000 });
  const stopped = instance.run('save', {}, { signal: controller.signal });
  const patient = instance.run('save', {});
  await server.advance(999);
  expect(await Promise.race([limited, stopped, patient, 'waits'])).toBe('waits');
  await server.advance(1);
  expect(await limited).toMatchObject({ seq: 7, ignored: ['x'] });
  controller.abort();
  expect((await stopped).seq).toBe(7);
  client.close();
  expect((await patient).seq).toBe(7);
});

test('two starts with one id are one, and lead to one instance', async () => {
  const { server, client } = await live();
  const id = '0197aaaa-0000-7000-8000-000000000000';
  const starting = Promise.all([client.start('p', { id }), client.start('p', { id })]);
  await server.advance();
  const [one, other] = await starting;
  expect(one).toBe(other);
  expect(server.sent('start')).toHaveLength(1);
  one.close();
  await server.advance();
  expect(server.sent('unsubscribe')).toHaveLength(0);
  other.close();
  await server.advance();
  expect(server.sent('unsubscribe')).toHaveLength(1);
});

test('a start that is not awaited any more is unsubscribed when its reply comes', async () => {
  const { server, client } = await live({ getToken: undefined, visitor: visitor() });
  let reply = () => {};
  server.on('start', (frame, connection) => {
    const fake = server.instance('key-p');
    connection.cursors.set('key-p', 0);
    fake.progress({});
    reply = () => connection.push({ type: 'reply', id: frame.id, seq: 1, result: { instance: 'key-p', token: 'mine' } });
  });
  const starting = caught(client.start('p', { timeout: 0 }));
  await server.advance(1);
  expect(await starting).toMatchObject({ code: 'timeout' });
  reply();
  await server.advance();
  expect(server.sent('unsubscribe')).toMatchObject([{ channel: 'instance/key-p' }]);
  server.instance('key-p').push({ type: 'data', body: {} });
  await server.advance();
  expect(client.instance('p', 'key-p').view.get()).toEqual({});
  await server.advance();
  expect(server.sent('subscribe')).toHaveLength(1);
});

test('a start that is not followed shows its first step, and can be acted on', async () => {
  const { server, client } = await live();
  server
    .instance('key-p')
    .progress({ status: 'started', nodes: [{ element: 'e', node: 'n', name: '', type: 'userTask', readOnly: false }] });
  const starting = client.start('p', { subscribe: false });
  await server.advance();
  const instance = await starting;
  expect(server.sent('start')).toMatchObject([{ subscribe: false }]);
  expect(instance.nodes.get()).toHaveLength(1);
  const running = instance.run('save');
  await server.advance();
  await running;
  server.connection.drop();
  await server.advance(1_000);
  expect(server.sent('hello')[1]).toMatchObject({ resume: [] });
  instance.close();
});

test('data that JSON cannot hold are refused alone, and later changes of the app are not sent', async () => {
  const { server, client } = await live();
  const instance = client.instance('p', 'k');
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  expect(await caught(instance.run('save', circle))).toBeInstanceOf(TypeError);
  expect(await caught(instance.run('save', { big: 1n }))).toBeInstanceOf(TypeError);
  refuse(server, 'run', 1, { code: 'busy' });
  const form = { a: 1 };
  const running = instance.run('save', form);
  await server.advance(0);
  form.a = 2;
  await server.advance(5_000);
  expect(await running).toMatchObject({ duplicate: false });
  expect(server.sent('run').map(({ data }) => data)).toEqual([{ a: 1 }, { a: 1 }]);
});
