import { expect, test } from 'vitest';
import { connect } from '../src/index.js';
import { FakeServer } from '../src/testing.js';

async function live() {
  const server = new FakeServer();
  const client = connect({ url: 'ws://test/v1/ws', getToken: () => 'token', platform: server.platform });
  await server.advance();
  return { server, client };
}

test('a publication is sent unchanged, and resolves to its receivers', async () => {
  const { server, client } = await live();
  const got = { instances: ['key-1'], started: [], bufferedUntil: '2030-01-01T01:00:00Z' };
  server.on('publish', (frame, connection) => connection.push({ type: 'reply', id: frame.id, result: got }));
  const paid = { name: 'paid', correlationKey: '7', businessKey: 'order-7', data: { amount: 5 }, ttl: 'PT1H' };
  const publishing = client.publish(paid);
  await server.advance();
  expect(await publishing).toEqual(got);
  expect(server.sent('publish')).toMatchObject([paid]);
});

test('a lost connection sends it again with the same id, also one of the app', async () => {
  const { server, client } = await live();
  server.on('publish', (_, connection) => connection.drop(1006));
  const id = '0190b0f0-0000-7000-8000-000000000001';
  const publishing = [client.publish({ name: 'go', kind: 'signal' }), client.publish({ name: 'go', kind: 'signal', id })];
  await server.advance();
  server.on('publish', (frame, connection) => server.answer(frame, connection));
  await server.advance(60_000);
  expect(await Promise.all(publishing)).toEqual([1, 2].map(() => ({ instances: [], started: [] })));
  const ids = server.sent('publish').map((frame) => frame.id);
  expect(ids.length).toBeGreaterThan(2);
  expect(new Set(ids).size).toBe(2);
  expect(ids).toContain(id);
});
