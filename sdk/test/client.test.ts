import { expect, expectTypeOf, test } from 'vitest';
import { connect, type ConnectOptions, StepwireError } from '../src/index.js';
import { FakeServer } from '../src/testing.js';

interface Processes {
  onboarding: {
    start: { locale?: string };
    view: { client?: { name?: string; tags?: string[] }; note?: string | null };
    actions: { save: { client: { name: string } }; confirm: { consent: boolean } };
  };
}

const URL = 'ws://test/v1/ws';

function setUp(options: Partial<ConnectOptions> = {}) {
  const server = new FakeServer();
  const client = connect<Processes>({ url: URL, getToken: () => 'token', platform: server.platform, ...options });
  return { server, client };
}

async function started(options: Partial<ConnectOptions> = {}) {
  const { server, client } = setUp(options);
  const fake = server.instance('key-onboarding');
  fake.push({ type: 'data', body: { client: { name: 'Ada', tags: ['a', 'b'] } } });
  fake.progress({ nodes: [], actions: [] });
  const starting = client.start('onboarding');
  await server.advance();
  return { server, client, fake, instance: await starting };
}

test('start sends the token in the first frame and follows from the first record', async () => {
  const { server, client, instance } = await started();
  expect(server.received[0]).toMatchObject({ type: 'hello', token: 'token', resume: [] });
  expect(client.status.get()).toBe('live');
  expect(instance.view.get()).toEqual({ client: { name: 'Ada', tags: ['a', 'b'] } });
  expect(instance.status.get()).toBe('started');
  expectTypeOf(instance.view.get().client?.name).toEqualTypeOf<string | undefined>();
  // @ts-expect-error there is no such action
  void (() => instance.run('unknown'));
});

test('data merge deeply, a view frame replaces the view, and every listener is called once', async () => {
  const { server, instance, fake } = await started();
  const seen: unknown[] = [];
  const end = instance.view.subscribe((view) => seen.push(view));
  fake.push({ type: 'data', body: { client: { tags: ['c'] }, note: null } });
  await server.advance();
  expect(instance.view.get()).toEqual({ client: { name: 'Ada', tags: ['c'] }, note: null });
  end();
  fake.push({ type: 'view', body: { note: 'back' } });
  await server.advance();
  expect(instance.view.get()).toEqual({ note: 'back' });
  expect(seen).toHaveLength(1);
});

test('run resolves when the effect is in the view, also when the reply comes before the frames', async () => {
  const { server, instance, fake } = await started();
  server.on('run', (frame, connection) => {
    connection.push({ type: 'reply', id: frame.id, seq: 4, duplicate: true, result: { ignored: ['x'] } });
    fake.push({ type: 'data', body: { note: 'saved' } });
    fake.progress({});
  });
  const running = instance.run('save', { client: { name: 'Ada' } }, { ifSeq: 2 });
  const seen = running.then((result) => [result.ignored, result.duplicate, instance.view.get().note]);
  await server.advance();
  expect(await seen).toEqual([['x'], true, 'saved']);
  expect(server.sent('run')[0]).toMatchObject({ instance: 'key-onboarding', action: 'save', ifSeq: 2 });
});

test('a refused command rejects with the whole error of the server', async () => {
  const fields = { 'client.name': { code: 'required', message: 'missing', params: { missingProperty: 'name' } } };
  const { server, instance } = await started();
  server.on('run', ({ id }, connection) =>
    connection.push({
      type: 'error',
      id,
      code: 'invalid_data',
      message: 'expected a name',
      fields,
    }),
  );
  const running = instance.run('save').catch((error: unknown) => error);
  await server.advance();
  const error = await running;
  expect(error).toBeInstanceOf(StepwireError);
  expect(error).toMatchObject({ code: 'invalid_data', retryable: false, fields });
});

test('frames at or below the cursor are ignored; a gap resubscribes once, from the cursor', async () => {
  const { server, instance, fake } = await started();
  const push = (seq: number, prev: number, note: string) =>
    server.connection.push({ type: 'data', channel: 'instance/key-onboarding', seq, prev, body: { note } });
  push(2, 1, 'old');
  push(5, 4, 'gap');
  push(6, 5, 'gap');
  fake.log.push({ type: 'data', seq: 3, body: { note: 'three' } });
  await server.advance();
  expect(instance.view.get().note).toBe('three');
  expect(server.sent('subscribe')).toMatchObject([{ channel: 'instance/key-onboarding', after: 2 }]);
});

test('resync waits for the snapshot, which replaces everything', async () => {
  const { server, instance, fake } = await started();
  server.connection.push({ type: 'resync', channel: 'instance/key-onboarding', reason: 'lag' });
  fake.push({ type: 'data', body: { note: 'ignored until the snapshot' } });
  await server.advance();
  expect(instance.view.get().note).toBeUndefined();
  fake.view = { note: 'whole' };
  fake.snapshot(server.connection);
  await server.advance();
  expect(instance.view.get()).toEqual({ note: 'whole' });
});

test('several uses share one subscription, and the last close ends it', async () => {
  const { server, client } = setUp();
  const first = client.instance('onboarding', 'k1');
  expect(client.instance('onboarding', 'k1')).toBe(first);
  await server.advance();
  expect(server.sent('subscribe')).toHaveLength(1);
  first.close();
  await server.advance();
  expect(server.sent('unsubscribe')).toHaveLength(0);
  first.close();
  await server.advance();
  expect(server.sent('unsubscribe')).toMatchObject([{ channel: 'instance/k1' }]);
});

test('an instance without access has the error in its error store', async () => {
  const { server, client } = setUp();
  server.on('subscribe', ({ id }, connection) => connection.push({ type: 'error', id, code: 'not_found', message: 'unknown' }));
  const instance = client.instance('onboarding', 'other');
  await server.advance();
  expect(instance.error.get()).toMatchObject({ code: 'not_found' });
});

test('children come with the tree: by a child frame, or by their snapshot after the root', async () => {
  const { server, client, fake, instance } = await started();
  const child = server.instance('c1');
  server.connection.cursors.set('c1', 0);
  fake.push({ type: 'child', child: { instance: 'c1', process: 'creditCheck', status: 'started' } });
  child.push({ type: 'data', body: { score: 7 } });
  await server.advance();
  expect(instance.children.get().map(({ key, process, view }) => [key, process, view.get()])).toEqual([
    ['c1', 'creditCheck', { score: 7 }],
  ]);
  server.on('subscribe', (frame, connection) => {
    server.instance('root').snapshot(connection);
    server.instance('leaf').snapshot(connection, { view: { leaf: true }, parent: 'root' });
    connection.push({ type: 'reply', id: frame.id, result: {} });
  });
  const root = client.instance('onboarding', 'root');
  await server.advance();
  expect(root.children.get().map(({ view }) => view.get())).toEqual([{ leaf: true }]);
});

test('a message over the server\'s limit is refused by the client', async () => {
  const { server, instance } = await started();
  server.connection.push({ type: 'welcome', log: 'log-1', pingSeconds: 25, maxMessageBytes: 100 });
  await server.advance();
  await expect(instance.run('save', { client: { name: 'x'.repeat(100) } })).rejects.toMatchObject({ code: 'too_large' });
});

test('commands on an instance name it, and resolve when the effect is in the stores', async () => {
  const { server, instance, fake } = await started();
  const node = { element: 'e1', node: 'check', name: 'Check', type: 'userTask', readOnly: false };
  server.on('claim', (frame, connection) => {
    connection.push({ type: 'reply', id: frame.id, seq: 3, result: {} });
    fake.progress({ nodes: [{ ...node, assignee: 'ada' }] });
  });
  const claimed = instance.command('claim', { element: 'e1' }).then(() => instance.nodes.get()[0]?.assignee);
  await server.advance();
  expect(await claimed).toBe('ada');
  for (const type of ['hold', 'unhold', 'terminate', 'dismiss'] as const) void instance.command(type);
  for (const type of ['retry', 'skip', 'release'] as const) void instance.command(type, { element: 'e1' });
  void instance.command('assign', { element: 'e1', user: 'bob' });
  await server.advance();
  const sent = server.received.slice(-8).map(({ id: _id, instance: key, ...rest }) => [key === instance.key, rest]);
  expect(sent).toEqual([
    ...['hold', 'unhold', 'terminate', 'dismiss'].map((type) => [true, { type }]),
    ...['retry', 'skip', 'release'].map((type) => [true, { type, element: 'e1' }]),
    [true, { type: 'assign', element: 'e1', user: 'bob' }],
  ]);
});

test('an equal step is no change', async () => {
  const { server, instance, fake } = await started();
  fake.progress({ nodes: [{ element: 'e1', node: 'check', name: 'Check', type: 'userTask', readOnly: false }] });
  await server.advance();
  const nodes = instance.nodes.get();
  fake.progress({});
  await server.advance();
  expect(instance.nodes.get()).toBe(nodes);
});

test('a draft is started as a test', async () => {
  const { server, client } = setUp();
  void client.start('onboarding', { test: true });
  await server.advance();
  expect(server.sent('start')).toMatchObject([{ process: 'onboarding', test: true }]);
});

test('the server in memory follows started instances unless told otherwise, and forgets those that are left', async () => {
  const { server, client, fake, instance } = await started();
  expect(server.sent('subscribe')).toEqual([]);
  expect(server.connection.cursors.get(instance.key)).toBe(2);
  instance.close();
  await server.advance();
  expect(server.connection.cursors.has(instance.key)).toBe(false);
  const starting = client.start('onboarding', { subscribe: false });
  await server.advance();
  const unfollowed = await starting;
  fake.push({ type: 'data', body: { note: 'unseen' } });
  await server.advance();
  expect(unfollowed.view.get()).toEqual({});
  expect(server.connection.cursors.has(instance.key)).toBe(false);
});
