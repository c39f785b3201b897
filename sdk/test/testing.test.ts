/** The server in memory, as an app's tests use it. */
import { expect, test } from 'vitest';
import { connect } from '../src/index.js';
import { FakeServer } from '../src/testing.js';

const SCHEMA = { type: 'object', properties: { name: { type: 'string' } } };

test('a flow of an app is played by hand: offered, run, refused, done', async () => {
  const server = new FakeServer();
  const client = connect({ url: 'ws://test', getToken: () => 'token', platform: server.platform, schemas: true });
  const fake = server.instance('key-onboarding');
  fake.offer('save', { keys: ['name'], schema: SCHEMA });
  server.onRun('save', ({ instance, data, id }) => {
    if (!data.name) return { code: 'invalid_data', message: 'expected a name', fields: { name: { code: 'required', message: 'missing', params: {} } } };
    instance.data({ name: data.name }, id);
    instance.withdraw('save', id);
    return undefined;
  });
  server.onRun('other', () => ({ code: 'action_not_available', message: 'not now' }));

  const starting = client.start('onboarding');
  await server.advance();
  const instance = await starting;
  expect(instance.actions.get()).toMatchObject([{ name: 'save', schema: SCHEMA }]);
  const [refused, other] = [instance.run('save', {}), instance.run('other')].map((run) => run.catch((error) => error));
  await server.advance();
  expect(await refused).toMatchObject({ code: 'invalid_data', fields: { name: { code: 'required' } } });
  expect(await other).toMatchObject({ code: 'action_not_available' });
  const running = instance.run('save', { name: 'Ada' }, { optimistic: { name: 'Ada …' } });
  expect(instance.view.get()).toEqual({ name: 'Ada …' });
  await server.advance();
  await running;
  expect([instance.view.get(), instance.actions.get()]).toEqual([{ name: 'Ada' }, []]);
});

test('a snapshot has the view of all messages, and open messages are there for later clients', async () => {
  const server = new FakeServer();
  const fake = server.instance('k');
  fake.data({ a: { b: 1 } });
  fake.data({ a: { c: 2 } });
  fake.child('child', 'q');
  server.instance('child').data({ d: 3 });
  fake.offer('save', { schema: SCHEMA });
  const client = connect({ url: 'ws://test', getToken: () => 'token', platform: server.platform, schemas: true });
  const instance = client.instance('p', 'k');
  await server.advance();
  expect(instance.view.get()).toEqual({ a: { b: 1, c: 2 } });
  expect(instance.actions.get()[0]?.schema).toEqual(SCHEMA);
  const asked: unknown[] = [];
  instance.onAction(({ body }) => asked.push(body) > 0);
  fake.ask({ question: 1 });
  fake.offer('later', { schema: { ...SCHEMA, title: 'Later' } });
  await server.advance(1);
  expect(asked).toEqual([{ question: 1 }]);
  expect(instance.actions.get()[1]?.schema).toMatchObject({ title: 'Later' });
});
