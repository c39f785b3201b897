/**
 * Plays against a running server: `STEPWIRE_URL=ws://127.0.0.1:8000/v1/ws npm test`. Where several users are needed,
 * STEPWIRE_TOKENS has a token for each: root (admin), bob and ben (clerk), ada.
 */
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  connect,
  type Instance,
  type JsonObject,
  memoryTokenStore,
  type Platform,
  type Socket,
  type Store,
} from '../src/index.js';
import { browser } from '../src/platform.js';

const url = process.env.STEPWIRE_URL ?? '';
const sockets: WebSocket[] = [];
const platform: Platform = {
  ...browser(),
  open(address, subprotocol) {
    const socket = new WebSocket(address, subprotocol);
    socket.on('error', () => undefined);
    sockets.push(socket);
    return socket as unknown as Socket;
  },
};
const tokens = JSON.parse(process.env.STEPWIRE_TOKENS ?? '{}') as Record<string, string>;
const as = (user: string) => connect({ url, platform, getToken: () => tokens[user] });
const details = { client: { firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.org', age: 36, income: 52_000 } };

/** Resolves as soon as the store holds a value that fits. */
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
const showsForm = (instance: Instance, form: string) =>
  until<JsonObject>(instance.view as Store<JsonObject>, (view) => view.form === form);

describe.skipIf(url === '')('the onboarding example', () => {
  test('from the details to the ordered card, through a lost connection', async () => {
    const tokenStore = memoryTokenStore();
    const client = connect({ url, platform, tokenStore, clientData: { theme: 'stripes' } });
    const instance = await client.start('onboarding');
    await offers(instance, 'save');
    await expect(instance.run('save', { client: {} })).rejects.toMatchObject({ code: 'invalid_data' });

    const saved = await instance.run('save', details);
    expect(saved.duplicate).toBe(false);
    await offers(instance, 'confirm');

    sockets.at(-1)?.terminate();
    await instance.run('simulate', { loan: { amount: 10_000, months: 24 } });
    expect(instance.view.get()).toMatchObject({ simulation: { amount: 10_000, months: 24 } });

    const watcher = connect({ url, platform, tokenStore, onAction: () => true });
    const twin = watcher.instance('onboarding', instance.key);
    await until(twin.status, (status) => status !== undefined);
    expect(twin.view.get()).toEqual(instance.view.get());

    const child = new Promise<Instance>((resolve) =>
      instance.onChild((found) => found.process === 'cardOrder' && resolve(found)),
    );
    await instance.run('confirm', { consent: true });
    expect(await showsForm(instance, 'done')).toMatchObject({ outcome: 'accepted' });
    const card = await child;
    await offers(card, 'choose');
    const { card: offered } = card.view.get() as { card: { designs: unknown[]; theme: string } };
    expect(offered.theme).toBe('stripes');
    await card.run('choose', { card: { design: offered.designs[0] } });
    expect(await showsForm(card, 'ordered')).toMatchObject({ card: { design: offered.designs[0] } });
    client.close();
    watcher.close();
  }, 20_000);
});

/** A clerk decides, then whoever has handed it in signs. */
const claim = {
  id: 'sdkClaim',
  nodes: [
    { id: 'start', type: 'startEvent' },
    { id: 'check', name: 'Check it', type: 'userTask' },
    { id: 'sign', type: 'userTask' },
    { id: 'end', type: 'endEvent' },
  ],
  flows: [
    { id: 'f1', source: 'start', target: 'check' },
    { id: 'f2', source: 'check', target: 'sign' },
    { id: 'f3', source: 'sign', target: 'end' },
  ],
  lanes: [
    { id: 'office', nodes: ['check'], execute: ['clerk'] },
    { id: 'home', nodes: ['sign'] },
  ],
};

/** Deploys a draft: what runs it is a test. */
async function deployDraft(): Promise<void> {
  const address = url.replace(/^ws/, 'http').replace('/v1/ws', '/v1/definitions');
  const headers = { authorization: `Bearer ${tokens.root}`, 'content-type': 'application/json' };
  const response = await fetch(address, { method: 'POST', headers, body: JSON.stringify(claim) });
  expect([200, 201]).toContain(response.status);
}

describe.skipIf(url === '' || tokens.root === undefined)('work of several users', () => {
  test('a task wanders through the lists, the instance through its process, also through a lost connection', async () => {
    await deployDraft();
    const [root, bob, ben] = [as('root'), as('bob'), as('ben')];
    const lists = [bob.tasks(), ben.tasks()] as const;
    const instances = root.process('sdkClaim');
    for (const { tasks } of lists) expect(await until(tasks, (found) => found !== undefined)).toEqual([]);
    await until(instances.instances, (found) => found !== undefined);

    const started = await root.start('sdkClaim', { test: true, businessKey: 'C-7' });
    const [task] = (await until(lists[0].tasks, (tasks) => tasks?.length === 1))!;
    expect(task).toMatchObject({ instance: started.key, node: 'check', name: 'Check it', lane: 'office', candidates: ['clerk'] });
    await until(lists[1].tasks, (tasks) => tasks?.length === 1);
    await until(instances.instances, (found) => found?.[0]?.instance === started.key);

    const seenByBob = bob.instance('sdkClaim', started.key);
    await seenByBob.claim(task!.element);
    expect(seenByBob.nodes.get()).toMatchObject([{ node: 'check', assignee: 'bob', readOnly: false }]);
    await until(lists[1].tasks, (tasks) => tasks?.length === 0);
    await until(lists[0].tasks, (tasks) => tasks?.[0]?.assignee === 'bob');

    await started.hold();
    expect(started.status.get()).toBe('onHold');
    await until(instances.instances, (found) => found?.[0]?.status === 'onHold');
    await started.unhold();
    await started.assign(task!.element, 'ben');
    sockets.forEach((socket) => socket.terminate());
    await until(lists[1].tasks, (tasks) => tasks?.[0]?.assignee === 'ben');
    await until(lists[0].tasks, (tasks) => tasks?.length === 0);
    expect(await seenByBob.claim(task!.element).catch((error: Error) => error)).toMatchObject({ code: 'conflict' });

    const ended = started.terminate();
    await until(instances.instances, (found) => found?.[0]?.status === 'terminated');
    await ended;
    await until(lists[1].tasks, (tasks) => tasks?.length === 0);
    [root, bob, ben].forEach((client) => client.close());
  }, 20_000);
});
