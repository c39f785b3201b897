/** Against a running server (STEPWIRE_URL), without websockets: the same client over server-sent events and REST. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { connect, type Instance, type JsonObject, onChild, type StepwireError, type Store } from '../src/index.js';
import { inherit } from '../src/inherit.js';
import { instances, tasks } from '../src/lists.js';
import { eventStream } from '../src/sse.js';
import { openTask } from '../src/task.js';
import { memoryTokenStore, visitor } from '../src/visitor.js';

const url = process.env.STEPWIRE_URL ?? '';
const tokens = JSON.parse(process.env.STEPWIRE_TOKENS ?? '{}') as Record<string, string>;
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

  test('typed text is saved, and sent to another device, until the action runs', async () => {
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

  test('a repeated start is one start; a list and unknown instances are refused with a sentence', async () => {
    const client = connect({ url, webSocket: eventStream(), visitor: visitor() });
    const id = crypto.randomUUID();
    const [one, other] = [await client.start('onboarding', { id }), await client.start('onboarding', { id })];
    expect(one.key).toBe(other.key);
    const list = tasks(client);
    await until(list.error, (error) => error !== undefined);
    // The token of a tree is not valid for lists, as over a websocket.
    expect(list.error.get()).toMatchObject({ code: 'forbidden' });
    await expect(client.command({ type: 'idle' })).rejects.toMatchObject({ code: 'unsupported', message: expect.stringContaining('websocket') });
    await expect(client.start('nowhere')).rejects.toMatchObject({ code: 'not_found' });
    const strange = client.instance('onboarding', '0197aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee');
    await until(strange.error, (error) => error !== undefined);
    expect(strange.error.get()?.code).toBe('not_found');
    client.close();
  }, 20_000);
});

const TWO_STEPS = {
  id: 'sdkTwoSteps',
  nodes: [
    { id: 'start', type: 'startEvent' },
    ...['first', 'second'].map((id) => ({
      id,
      type: 'userTask',
      actions: [{ name: `save-${id}`, type: 'saveData', trigger: 'manual', keys: [{ path: 'a', schema: { type: 'integer' } }] }],
    })),
    { id: 'end', type: 'endEvent' },
  ],
  flows: [
    { id: 'f1', source: 'start', target: 'first' },
    { id: 'f2', source: 'first', target: 'second' },
    { id: 'f3', source: 'second', target: 'end' },
  ],
};

describe.skipIf(url === '' || tokens.root === undefined)('as an operator', () => {
  beforeAll(async () => {
    const answer = await fetch(`${url.replace(/^ws/, 'http').replace(/\/ws$/, '')}/definitions?publish=true`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.root}`, 'content-type': 'application/json' },
      body: JSON.stringify(TWO_STEPS),
    });
    expect(answer.ok, await answer.text()).toBe(true);
  });

  test.each([
    ['a websocket', WebSocket],
    ['events', eventStream()],
  ])('each command, by %s', async (_, webSocket) => {
    const client = connect({ url, webSocket, getToken: () => tokens.root, schemas: true });
    const [instance, other] = [await client.start('sdkTwoSteps'), await client.start('sdkTwoSteps')];
    await until(instance.nodes, (nodes) => nodes.length > 0);
    const at = () => instance.nodes.get()[0]!;
    const { element } = at();
    const refusal = (error: StepwireError) => error.code;
    // The effect of a command is in the stores when it is answered.
    await instance.command('claim', { element });
    expect(at().assignee).toBe('root');
    await instance.command('release', { element });
    expect(at().assignee).toBeUndefined();
    await instance.command('assign', { element, user: 'ada' });
    expect(at().assignee).toBe('ada');
    await instance.command('hold');
    expect(instance.status.get()).toBe('onHold');
    await instance.command('patch', { data: { a: 7 } });
    await instance.command('unhold');
    expect(instance.status.get()).toBe('started');
    expect(await instance.command('retry', { element }).catch(refusal)).toBe('conflict');
    expect(await instance.command('skip', { element }).catch(refusal)).toBe('conflict');
    expect(await instance.command('dismiss').catch(refusal)).toBe('conflict');
    expect(await instance.command('done', { seq: 1 }).catch(refusal)).toBe('conflict');
    await instance.command('move', { element, to: 'second' });
    expect(at().node).toBe('second');
    expect(instance.actions.get()).toMatchObject([{ name: 'save-second', initial: { a: 7 }, schema: { properties: { a: { type: 'integer' } } } }]);
    expect(await client.publish({ name: 'paid', correlationKey: 'x' })).toMatchObject({ instances: [], started: [] });
    const open = tasks(client);
    await until(open.tasks, (lines) => lines !== undefined);
    const all = instances(client, 'sdkTwoSteps');
    await until(all.instances, (lines) => lines?.some((line) => line.instance === instance.key) ?? false);
    await instance.run('save-second', { a: 8 });
    expect(instance.status.get()).toBe('finished');
    await other.command('terminate');
    expect(other.status.get()).toBe('terminated');
    client.close();
  }, 20_000);

  test('a list that is not streamed is polled', async () => {
    const client = connect({ url, webSocket: eventStream(), getToken: () => tokens.root });
    const all = instances(client, 'sdkTwoSteps');
    await until(all.instances, (lines) => lines !== undefined);
    const { key } = await client.start('sdkTwoSteps');
    await until(all.instances, (lines) => lines!.some(({ instance }) => instance === key));
    all.close();
    client.close();
  }, 20_000);
});

test('an unreachable server, or an invalid answer, is a lost connection like any other', async () => {
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
