/** Plays the onboarding example against a running server: `STEPWIRE_URL=ws://127.0.0.1:8000/v1/ws npm test`. */
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
  ...browser,
  open(address, subprotocol) {
    const socket = new WebSocket(address, subprotocol);
    socket.on('error', () => undefined);
    sockets.push(socket);
    return socket as unknown as Socket;
  },
};
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
