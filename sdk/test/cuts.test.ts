/**
 * Against a running server (STEPWIRE_URL): the connection is cut again and again, at any message in either direction, by a seed.
 * Nothing may be lost, nothing done twice, and the view is what the server says it is. STEPWIRE_CUTS says how often, STEPWIRE_SEED
 * from which seed.
 */
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Client, connect, type Instance, type JsonObject, memoryTokenStore, type Store } from '../src/index.js';
import { browser } from '../src/platform.js';

const url = process.env.STEPWIRE_URL ?? '';
const cuts = Number(process.env.STEPWIRE_CUTS ?? 500);
const seed = Number(process.env.STEPWIRE_SEED ?? 1);
const details = { client: { firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.org', age: 36, income: 52_000 } };

/** Numbers from 0 (included) to 1 (excluded), always the same ones for a seed. */
function numbers(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Websockets that break at some message, before it is handed over or after; `left` says how many still will. */
function breaking(random: () => number) {
  const state = { left: cuts };
  class Breaking {
    readonly #socket: WebSocket;
    #messages = 1 + Math.floor(random() * 12);

    constructor(address: string, protocols?: string) {
      this.#socket = new WebSocket(address, protocols);
    }

    /** Whether a message still passes. */
    #passes(): boolean {
      this.#messages -= 1;
      if (this.#messages !== 0 || state.left <= 0) return this.#messages > 0 || state.left <= 0;
      state.left -= 1;
      const before = random() < 0.5;
      if (before) this.#socket.terminate();
      else setImmediate(() => this.#socket.terminate());
      return !before;
    }

    send(text: string): void {
      if (this.#passes()) this.#socket.send(text);
    }

    close(code?: number): void {
      this.#socket.close(code);
    }

    set onmessage(listener: (message: WebSocket.MessageEvent) => void) {
      this.#socket.onmessage = (message) => this.#passes() && listener(message);
    }

    set onopen(listener: () => void) {
      this.#socket.onopen = listener;
    }

    set onerror(listener: (failed: WebSocket.ErrorEvent) => void) {
      this.#socket.onerror = listener;
    }

    set onclose(listener: (closed: WebSocket.CloseEvent) => void) {
      this.#socket.onclose = listener;
    }
  }
  return { state, Breaking };
}

function until<T>(values: Store<T>, fits: (value: T) => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (fits(values.get())) return resolve();
    const end = values.subscribe((value) => {
      if (!fits(value)) return;
      end();
      resolve();
    });
  });
}

const amountIn = (view: JsonObject) => (view.simulation as { amount: number } | undefined)?.amount;

/** Runs an action again and again until so many cuts are left, and looks whether all of it is there once. */
async function play(client: Client, watcher: Client, enough: () => boolean): Promise<void> {
  const instance: Instance = await client.start('onboarding');
  await until(instance.actions, (actions) => actions.some(({ name, back }) => name === 'save' && !back));
  await instance.run('save', details);
  await until(instance.actions, (actions) => actions.some(({ name }) => name === 'simulate'));
  const seen: number[] = [];
  instance.view.subscribe((view) => {
    const amount = amountIn(view);
    if (amount !== undefined && amount !== seen.at(-1)) seen.push(amount);
  });
  const sent: number[] = [];
  const ends: number[] = [];
  for (let amount = 5_000; !enough() || sent.length < 20; amount += 1) {
    sent.push(amount);
    const { seq } = await instance.run('simulate', { loan: { amount, months: 24 } });
    ends.push(seq!);
    expect(amountIn(instance.view.get())).toBe(amount);
  }
  expect(seen).toEqual(sent);
  // Each run takes as many numbers as any other, so between two of them there is nothing else.
  expect(new Set(ends.slice(1).map((end, index) => end - ends[index]!)).size).toBe(1);

  const twin = watcher.instance('onboarding', instance.key);
  await until(twin.status, (status) => status !== undefined);
  expect(twin.view.get()).toEqual(instance.view.get());
  expect(twin.actions.get()).toEqual(instance.actions.get());
  twin.close();
  instance.close();
}

describe.skipIf(url === '')('a connection that breaks all the time', () => {
  test(
    'loses nothing and does nothing twice',
    async () => {
      const { state, Breaking } = breaking(numbers(seed));
      const tokenStore = memoryTokenStore();
      const client = connect({ url, platform: { ...browser(Breaking), random: () => 0 }, tokenStore });
      const watcher = connect({ url, webSocket: WebSocket, tokenStore, onAction: () => true });
      while (state.left > 0) {
        const until = state.left - 250;
        await play(client, watcher, () => state.left <= Math.max(0, until));
      }
      client.close();
      watcher.close();
    },
    60_000 + 60 * cuts,
  );
});
