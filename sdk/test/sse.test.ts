/** Against a running server (STEPWIRE_URL), where no websocket gets through: the same client over server-sent events and REST. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { connect, type Instance, type JsonObject, onChild, type StepwireError, type Store } from '../src/index.js';
import { inherit } from '../src/inherit.js';
import { tasks } from '../src/lists.js';
import { eventStream } from '../src/sse.js';
import { openTask } from '../src/task.js';
import { memoryTokenStore, visitor } from '../src/visitor.js';

const url = process.env.STEPWIRE_URL ?? '';
const details = { client: { firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.org', age: 36, income: 52_000 } };

function until<T>(values: Store<T>, fits: (value: T) => boolean): Promise<T> {
  return new Promise((resolve) => {
    if (fits(values.get())) return resolve(values.get());
    const end = values.subscribe((value) => {
      if (!fits(value)) return;
      end();
      resolve(value);
    });
  });
}
const offers = (instance: Instance, name: string) =>
  until(instance.actions, (actions) => actions.some((action) => action.name === name && !action.back));

/** Requests that a test can break, all at once. */
function breakable() {
  const open = new Set<AbortController>();
  const request: typeof fetch = async (address, init) => {
    const controller = new AbortController();
    open.add(controller);
    init?.signal?.addEventListener('abort', () => controller.abort());
    return fetch(address, { ...init, signal: controller.signal });
  };
  return { request, cut: () => open.forEach((controller) => controller.abort()) };
}

describe.skipIf(url === '')('without websockets', () => {
  test('an onboarding from start to its card, through cut streams, refusals and a child', async () => {
    const { request, cut } = breakable();
    const client = connect({ url, webSocket: eventStream(request), visitor: visitor(), onAction: inherit({ theme: 'stripes' }) });
    const instance = await client.start('onboarding');
    await offers(instance, 'save');
    await expect(instance.run('save', { client: {} })).rejects.toMatchObject({
      code: 'invalid_data',
      fields: { 'client.email': { code: 'required' } },
    });
    const saved = await instance.run('save', details);
    expect(saved.duplicate).toBe(false);
    await offers(instance, 'confirm');
    cut();
    await until(client.status, (status) => status !== 'live');
    await instance.run('simulate', { loan: { amount: 10_000, months: 24 } });
    expect(instance.view.get()).toMatchObject({ simulation: { amount: 10_000, months: 24 } });
    const child = new Promise<Instance>((resolve) => onChild(instance, (found) => found.process === 'cardOrder' && resolve(found)));
    await instance.run('confirm', { consent: true });
    const card = await child;
    await offers(card, 'choose');
    const { card: offered } = card.view.get() as { card: { designs: unknown[]; theme: string } };
    expect(offered.theme).toBe('stripes');
    await card.run('choose', { card: { design: offered.designs[0] } });
    await until(card.view as Store<JsonObject>, ({ form }) => form === 'ordered');
    client.close();
  }, 20_000);

  test('what is typed is kept, and told to another device, until the action runs', async () => {
    const tokenStore = memoryTokenStore();
    const [desk, phone] = [1, 2].map(() => connect({ url, webSocket: eventStream(), visitor: visitor(tokenStore) }));
    const typing = await desk!.start('onboarding');
    await offers(typing, 'save');
    const { element } = typing.actions.get()[0]!;
    const [here, there] = [
      openTask(desk!, typing, { element, action: 'save' }),
      openTask(phone!, phone!.instance('onboarding', typing.key), { element, action: 'save' }),
    ];
    here.save({ client: { firstName: 'Ad' } });
    await until(there.draft, (draft) => draft !== undefined);
    expect(there.draft.get()).toEqual({ client: { firstName: 'Ad' } });
    await here.discard();
    await until(there.draft, (draft) => draft === undefined);
    [desk, phone].forEach((client) => client!.close());
  }, 20_000);

  test('a repeated start is one start, a list is refused with what to do, and what is not there is told', async () => {
    const client = connect({ url, webSocket: eventStream(), visitor: visitor() });
    const id = crypto.randomUUID();
    const [one, other] = [await client.start('onboarding', { id }), await client.start('onboarding', { id })];
    expect(one.key).toBe(other.key);
    const list = tasks(client);
    await until(list.error, (error) => error !== undefined);
    expect(list.error.get()).toMatchObject({ code: 'unsupported', message: expect.stringContaining('websocket') });
    await expect(client.start('nowhere')).rejects.toMatchObject({ code: 'not_found' });
    const strange = client.instance('onboarding', '0197aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee');
    await until(strange.error, (error) => error !== undefined);
    expect(strange.error.get()?.code).toBe('not_found');
    client.close();
  }, 20_000);
});

test('a server that cannot be reached, or answers nonsense, is a loss like any other', async () => {
  const server = createServer((_, response) => response.writeHead(500).end('<html>'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/ws`;
  const client = connect({ url: address, webSocket: eventStream(), getToken: () => 'token' });
  await expect(client.start('p', { timeout: 1_000 })).rejects.toMatchObject({ code: 'internal', retryable: true });
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  const lost = new Promise<StepwireError>((done) => client.lastError.subscribe((error) => error && done(error)));
  await expect(client.start('p', { timeout: 300 })).rejects.toMatchObject({ code: 'timeout' });
  expect(await lost).toMatchObject({ code: 'unreachable', message: expect.stringContaining(`connection to ${address}`) });
  client.close();
});
