/**
 * Runs against a running server: `STEPWIRE_URL=ws://127.0.0.1:8000/v1/ws npm test`. Where several users are needed,
 * STEPWIRE_TOKENS has a token for each: root (admin), bob and ben (clerk), ada, lena, whose token has the maximum length, and old, whose token has expired. STEPWIRE_LIMITED_URL is a server with the usual
 * limit of messages.
 */
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  type Client,
  connect,
  type ConnectOptions,
  type Instance,
  type JsonObject,
  onChild,
  type Store,
} from '../src/index.js';
import { inherit } from '../src/inherit.js';
import { eventStream } from '../src/sse.js';
import { instances as listed, tasks as tasksOf } from '../src/lists.js';
import { openTask } from '../src/task.js';
import { localTokenStore, memoryTokenStore, visitor } from '../src/visitor.js';

const url = process.env.STEPWIRE_URL ?? '';
const limitedUrl = process.env.STEPWIRE_LIMITED_URL ?? '';
const sockets: WebSocket[] = [];
/** A websocket that a test can cut. */
class webSocket extends WebSocket {
  constructor(address: string, protocols?: string) {
    super(address, protocols);
    sockets.push(this);
  }
}
const tokens = JSON.parse(process.env.STEPWIRE_TOKENS ?? '{}') as Record<string, string>;
/** The token of `old`, which expired long ago. */
const expired = tokens.old;
const as = (user: string) => connect({ url, webSocket, getToken: () => tokens[user] });
const details = { client: { firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.org', age: 36, income: 52_000 } };

/** Resolves as soon as the store has a fitting value. */
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

describe.skipIf(url === '' || tokens.ada === undefined)('a token that the server does not take', () => {
  test('is requested again once, and a new one continues', async () => {
    const asked: boolean[] = [];
    const client = connect({ url, webSocket, getToken: (refused) => (asked.push(refused), refused ? tokens.ada : expired) });
    await client.start('onboarding');
    expect(asked).toEqual([false, true]);
    client.close();
  });

  test('signs out when the new one is refused, too', async () => {
    const client = connect({ url, webSocket, getToken: () => expired });
    await expect(client.start('onboarding')).rejects.toMatchObject({ code: 'unauthenticated', closeCode: 4401, message: expect.stringContaining('expired') });
    expect(client.status.get()).toBe('signedOut');
  });
});

describe.skipIf(url === '')('the onboarding example', () => {
  test('from the details to the ordered card, through a lost connection', async () => {
    const tokenStore = memoryTokenStore();
    const client = connect({ url, webSocket, visitor: visitor(tokenStore), onAction: inherit({ theme: 'stripes' }) });
    const instance = await client.start('onboarding');
    await offers(instance, 'save');
    await expect(instance.run('save', { client: {} })).rejects.toMatchObject({ code: 'invalid_data' });

    const saved = await instance.run('save', details);
    expect(saved.duplicate).toBe(false);
    await offers(instance, 'confirm');

    sockets.at(-1)?.terminate();
    await instance.run('simulate', { loan: { amount: 10_000, months: 24 } });
    expect(instance.view.get()).toMatchObject({ simulation: { amount: 10_000, months: 24 } });

    const watcher = connect({ url, webSocket, visitor: visitor(tokenStore), onAction: () => true });
    const twin = watcher.instance('onboarding', instance.key);
    await until(twin.status, (status) => status !== undefined);
    expect(twin.view.get()).toEqual(instance.view.get());

    const child = new Promise<Instance>((resolve) =>
      onChild(instance, (found) => found.process === 'cardOrder' && resolve(found)),
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

/** The frames that a client sent and received, by type. */
function counting() {
  const counts = new Map<string, number>();
  const debug: ConnectOptions['debug'] = (direction, { type, code }) => {
    const name = `${direction} ${String(code ?? type)}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  return { debug, count: (name: string) => counts.get(name) ?? 0 };
}

describe.skipIf(url === '' || tokens.lena === undefined)('many instances', () => {
  test.each(['root', 'lena'])(
    '1,000 of %s are started at once, followed, and all there again after a cut',
    async (user) => {
      const { debug, count } = counting();
      const client = connect({ url, webSocket, debug, getToken: () => tokens[user] });
      const instances = await Promise.all(Array.from({ length: 1_000 }, () => client.start('onboarding')));
      // More than the server accepts at a time: refused commands were sent again.
      expect(count('in busy') + 1_000).toBe(count('out start'));
      sockets.at(-1)?.terminate();
      await until(client.status, (status) => status !== 'live');
      await until(client.status, (status) => status === 'live');
      await Promise.all(instances.slice(-3).map((instance) => instance.run('save', details)));
      await Promise.all(instances.slice(-3).map((instance) => offers(instance, 'confirm')));
      await instances[0]!.command('terminate');
      expect(instances[0]!.status.get()).toBe('terminated');
      expect(instances.filter(({ error }) => error.get() !== undefined)).toEqual([]);
      const named = count('in live') + count('out subscribe');
      expect(named).toBeGreaterThanOrEqual(1_000);
      client.close();
    },
    60_000,
  );
});

describe.skipIf(url === '' || tokens.ada === undefined)('drafts and presence', () => {
  test('text typed on one device is on the other, until the action runs', async () => {
    const [desk, phone] = [as('ada'), as('ada')];
    const there = await desk.start('onboarding');
    const save = (await offers(there, 'save')).find(({ name }) => name === 'save')!;
    expect(save.initial).toBeUndefined();
    const place = { element: save.element, action: 'save' };
    const typing = openTask(desk, there, place);
    const here = phone.instance('onboarding', there.key);
    const reading = openTask(phone, here, place);
    typing.save({ client: { firstName: 'Ad' } });
    await until(reading.draft, (draft) => draft !== undefined);
    expect(reading.draft.get()).toEqual({ client: { firstName: 'Ad' } });
    await until(reading.others, (users) => users.some(({ user, typing }) => user === 'ada' && typing));
    // A device that was disconnected receives it again.
    sockets.at(-1)?.terminate();
    await until(phone.status, (status) => status !== 'live');
    await until(reading.draft, (draft) => draft !== undefined);
    await typing.run(details);
    await until(reading.draft, (draft) => draft === undefined);
    typing.close();
    desk.close();
    phone.close();
  }, 20_000);
});

describe.skipIf(limitedUrl === '')('a server with its usual limits', () => {
  test('is never sent more than its rate by a user who starts many instances at once', async () => {
    const { debug, count } = counting();
    const client = connect({ url: limitedUrl, webSocket, debug, getToken: () => tokens.ada });
    const instances = await Promise.all(Array.from({ length: 80 }, () => client.start('onboarding')));
    await Promise.all(instances.map((instance) => instance.command('terminate')));
    expect(count('in rate_limited')).toBe(0);
    client.close();
  }, 60_000);

  test('is never sent more than its rate, also when all are resumed one by one', async () => {
    const { debug, count } = counting();
    const tokenStore = memoryTokenStore();
    const client = connect({ url: limitedUrl, webSocket, debug, visitor: visitor(tokenStore) });
    const instances = await Promise.all(Array.from({ length: 55 }, () => client.start('onboarding')));
    // Starts of strangers have a rate of their own, which is not announced to clients: 20 at once, then each of the
    // others is refused once, with the time until its turn.
    const starts = count('in rate_limited');
    expect(starts).toBeLessThanOrEqual(55 - 20);
    sockets.at(-1)?.terminate();
    await until(client.status, (status) => status !== 'live');
    // Each has a token of its own: so many are shown, and so many subscriptions follow.
    await instances[54]!.run('save', details);
    await Promise.all(instances.slice(0, 3).map((instance) => instance.command('terminate')));
    await until(instances[53]!.status, (status) => status !== undefined);
    expect(count('in rate_limited')).toBe(starts);
    expect(count('out auth')).toBeGreaterThan(45);
    client.close();
  }, 60_000);
});

describe.skipIf(url === '')('an anonymous visitor', () => {
  test('has several instances, and after a reload any of them', async () => {
    const tokenStore = localTokenStore('visitor');
    const visit = (): Client => connect({ url, webSocket, visitor: visitor(tokenStore) });
    const before = visit();
    const id = '0197aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee';
    const [one, two] = await Promise.all([before.start('onboarding', { id }), before.start('onboarding')]);
    await one.run('save', details);
    before.close();

    const after = visit();
    const again = after.instance('onboarding', one.key);
    await offers(again, 'confirm');
    const other = after.instance('onboarding', two.key);
    await other.run('save', details);
    await offers(other, 'confirm');
    sockets.at(-1)?.terminate();
    await Promise.all([again, other].map((instance) => instance.run('simulate', { loan: { amount: 9_000, months: 12 } })));
    expect([again, other].map(({ view }) => (view.get() as JsonObject).simulation)).toHaveLength(2);
    after.close();

    const third = visit();
    const repeated = await third.start('onboarding', { id });
    expect(repeated.key).toBe(one.key);
    await until(repeated.view as Store<JsonObject>, ({ simulation }) => simulation !== undefined);
    third.close();
  }, 20_000);

  test('a start that is not followed is answered with its first step, and pushes nothing', async () => {
    const { debug, count } = counting();
    const client = connect({ url, webSocket, debug, visitor: visitor() });
    const instance = await client.start('onboarding', { subscribe: false });
    expect(instance.actions.get().map(({ name }) => name)).toContain('save');
    await instance.run('save', details);
    expect([count('in data'), count('in progress')]).toEqual([0, 0]);
    client.close();
  }, 20_000);
});

/** A clerk decides, then the starter signs. */
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

/** Deploys a draft of a process; its instances are tests. */
async function deploy(definition: JsonObject, query = ''): Promise<void> {
  const address = url.replace(/^ws/, 'http').replace('/v1/ws', `/v1/definitions${query}`);
  const headers = { authorization: `Bearer ${tokens.root}`, 'content-type': 'application/json' };
  const response = await fetch(address, { method: 'POST', headers, body: JSON.stringify(definition) });
  expect([200, 201]).toContain(response.status);
}

describe.skipIf(url === '' || tokens.root === undefined)('work of several users', () => {
  test('a task moves through the lists and the instance through its process, also across a lost connection', async () => {
    await deploy(claim);
    const [root, bob, ben] = [as('root'), as('bob'), as('ben')];
    const lists = [tasksOf(bob), tasksOf(ben)] as const;
    const instances = listed(root, 'sdkClaim');
    for (const { tasks } of lists) expect(await until(tasks, (found) => found !== undefined)).toEqual([]);
    await until(instances.instances, (found) => found !== undefined);

    const started = await root.start('sdkClaim', { test: true, businessKey: 'C-7' });
    const [task] = (await until(lists[0].tasks, (tasks) => tasks?.length === 1))!;
    expect(task).toMatchObject({ instance: started.key, node: 'check', name: 'Check it', lane: 'office', candidates: ['clerk'] });
    await until(lists[1].tasks, (tasks) => tasks?.length === 1);
    await until(instances.instances, (found) => found?.[0]?.instance === started.key);

    const seenByBob = bob.instance('sdkClaim', started.key);
    await seenByBob.command('claim', { element: task!.element });
    expect(seenByBob.nodes.get()).toMatchObject([{ node: 'check', assignee: 'bob', readOnly: false }]);
    await until(lists[1].tasks, (tasks) => tasks?.length === 0);
    await until(lists[0].tasks, (tasks) => tasks?.[0]?.assignee === 'bob');

    await started.command('hold');
    expect(started.status.get()).toBe('onHold');
    await until(instances.instances, (found) => found?.[0]?.status === 'onHold');
    await started.command('unhold');
    await started.command('assign', { element: task!.element, user: 'ben' });
    sockets.forEach((socket) => socket.terminate());
    await until(lists[1].tasks, (tasks) => tasks?.[0]?.assignee === 'ben');
    await until(lists[0].tasks, (tasks) => tasks?.length === 0);
    expect(await seenByBob.command('claim', { element: task!.element }).catch((error: Error) => error)).toMatchObject({ code: 'conflict' });

    const ended = started.command('terminate');
    await until(instances.instances, (found) => found?.[0]?.status === 'terminated');
    await ended;
    await until(lists[1].tasks, (tasks) => tasks?.length === 0);
    [root, bob, ben].forEach((client) => client.close());
  }, 20_000);
});

/** Waits for a message with the key `k`, then for a signal. */
const sdkWaits = {
  id: 'sdkWaits',
  nodes: [
    { id: 'start', type: 'startEvent' },
    { id: 'paid', type: 'intermediateCatchEvent', event: { type: 'message', name: 'sdkPaid', correlationKey: '${k}' } },
    { id: 'go', type: 'intermediateCatchEvent', event: { type: 'signal', name: 'sdkGo' } },
    { id: 'end', type: 'endEvent' },
  ],
  flows: [
    { id: 'f1', source: 'start', target: 'paid' },
    { id: 'f2', source: 'paid', target: 'go' },
    { id: 'f3', source: 'go', target: 'end' },
  ],
};

describe.skipIf(url === '' || tokens.root === undefined)('what is published', () => {
  test.each(['websocket', 'event stream'])('over a %s: reaches who waits, and nobody else', async (over) => {
    await deploy(sdkWaits, '?publish=true');
    const root = over === 'websocket' ? as('root') : connect({ url, webSocket: eventStream(), getToken: () => tokens.root });
    const ada = as('ada');
    const waits = await ada.start('sdkWaits', { data: { k: over } });
    const at = (node: string) => until(waits.nodes, (nodes) => nodes[0]?.node === node);
    await at('paid');
    const message = { name: 'sdkPaid', correlationKey: over };
    await expect(ada.publish(message)).rejects.toMatchObject({ code: 'forbidden' });
    const id = crypto.randomUUID();
    const paid = { ...message, data: { amount: 5 }, id };
    expect(await root.publish(paid)).toEqual({ instances: [waits.key], started: [] });
    await at('go');
    expect(await root.publish(paid)).toEqual({ instances: [waits.key], started: [] });
    const other = root.publish({ ...paid, data: { amount: 6 } });
    await expect(other).rejects.toMatchObject({ code: 'id_reused' });
    const kept = await root.publish({ ...message, correlationKey: 'nobody', ttl: 'PT1S' });
    expect(kept).toMatchObject({ instances: [], bufferedUntil: expect.any(String) as string });
    expect(await root.publish({ name: 'sdkGo', kind: 'signal' })).toEqual({ instances: [waits.key], started: [] });
    await until(waits.status, (status) => status === 'finished');
    [root, ada].forEach((client) => client.close());
  });
});
