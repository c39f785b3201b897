import { expect, test } from 'vitest';
import { connect, type ConnectOptions } from '../src/index.js';
import { inherit } from '../src/inherit.js';
import { FakeServer } from '../src/testing.js';

const INHERIT = { processName: 'cardOrder', type: 'START_PROCESS_INHERIT', clientDataKeys: ['theme'] };

async function withAction(body: unknown, options: Partial<ConnectOptions> = {}) {
  const server = new FakeServer();
  const client = connect({ url: 'ws://test', getToken: () => 't', platform: server.platform, onAction: inherit(), ...options });
  const fake = server.instance('key-onboarding');
  fake.push({ type: 'action', node: 'done', body });
  const starting = client.start('onboarding');
  await server.advance();
  return { server, fake, instance: await starting };
}

test('a START_PROCESS_INHERIT message starts the child with the values it names', async () => {
  const clientData = () => ({ theme: 'forest', other: 1 });
  const { server, instance } = await withAction(INHERIT, { onAction: inherit(clientData) });
  const [, start] = server.sent('start');
  expect(start).toMatchObject({
    process: 'cardOrder',
    data: { theme: 'forest' },
    inheritFrom: { instance: 'key-onboarding', seq: 1 },
  });
  expect(instance.children.get().map(({ key }) => key)).toEqual(['key-cardOrder']);
  // It is followed as long as its parent is.
  instance.close();
  await server.advance();
  expect([...server.connection.cursors.keys()]).toEqual([]);
});

test.each([null, 'a text', [1], 7])('a body that is no object is another message: %j', async (body) => {
  const { server } = await withAction(body);
  expect(server.sent('start')).toHaveLength(1);
});

test('processName without type means the same', async () => {
  const { server } = await withAction({ processName: 'cardOrder' });
  expect(server.sent('start')).toHaveLength(2);
});

test.each([
  ['another form', { open: 'chat' }],
  ['another type', { processName: 'x', type: 'OPEN_PAGE' }],
  ['one that the server has started', { ...INHERIT, processInstanceKey: 'c1' }],
])('%s starts nothing', async (_, body) => {
  const { server } = await withAction(body);
  expect(server.sent('start')).toHaveLength(1);
});

test('a handler that returns true has handled it, also one set right after start', async () => {
  const server = new FakeServer();
  const client = connect({ url: 'ws://test', getToken: () => 't', platform: server.platform, onAction: inherit() });
  server.instance('key-onboarding').push({ type: 'action', body: INHERIT });
  const seen: number[] = [];
  const starting = client.start('onboarding').then((instance) => instance.onAction(({ seq }) => seen.push(seq) > 0));
  await server.advance();
  await starting;
  expect(seen).toEqual([1]);
  expect(server.sent('start')).toHaveLength(1);
});

test('a handler of the app gets unhandled messages', async () => {
  const { server } = await withAction(INHERIT, { onAction: () => undefined });
  expect(server.sent('start')).toHaveLength(1);
});

test('a message that a snapshot lists again is delivered once', async () => {
  const { server, fake } = await withAction(INHERIT);
  fake.snapshot(server.connection, { open: [{ seq: 1, body: INHERIT }] });
  await server.advance();
  expect(server.sent('start')).toHaveLength(2);
});

test('a refused start is in the error store', async () => {
  const { server, fake, instance } = await withAction({ open: 'chat' });
  server.on('start', ({ id }, connection) =>
    connection.push({ type: 'error', id, code: 'not_found', message: 'no such process' }),
  );
  fake.push({ type: 'action', body: INHERIT });
  await server.advance();
  expect(instance.error.get()).toMatchObject({ code: 'not_found' });
});
