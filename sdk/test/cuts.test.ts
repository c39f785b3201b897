/**
 * Against a running server (STEPWIRE_URL), and one with the usual rates of strangers (STEPWIRE_STRANGERS_URL): a proxy between client and server cuts the connection again and again, at any
 * message in either direction, by a seed.
 * No command may be lost or applied twice, and the view is that of the server. STEPWIRE_CUTS sets the number of cuts, STEPWIRE_SEED
 * the seed.
 */
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { type Client, connect, type Instance, type JsonObject, type Store } from '../src/index.js';
import { browser } from '../src/platform.js';
import { memoryTokenStore, visitor } from '../src/visitor.js';

const cuts = Number(process.env.STEPWIRE_CUTS ?? 500);
/** The number of cuts where rates make each of them slower. */
const servers = [
  { name: 'without rates', url: process.env.STEPWIRE_URL ?? '', cuts },
  { name: 'with the rates of strangers', url: process.env.STEPWIRE_STRANGERS_URL ?? '', cuts: Math.ceil(cuts / 2) },
];
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

/**
 * A proxy before the server that cuts connections, each at some message in either direction: before it is passed on, or after.
 * `left` is the number of cuts still to come.
 */
async function cuttingProxy(url: string, cuts: number, random: () => number) {
  const state = { left: cuts };
  const proxy = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: (offered) => [...offered][0] ?? false });
  proxy.on('connection', (client, { headers }) => {
    let messages = 1 + Math.floor(random() * 12);
    const waiting: string[] = [];
    const server = new WebSocket(url, headers['sec-websocket-protocol']);
    const cut = () => [client, server].forEach((side) => side.terminate());
    const pass = (to: WebSocket, text: string) => to.readyState === WebSocket.OPEN && to.send(text);
    const relay = (to: WebSocket) => (data: RawData) => {
      messages -= 1;
      const last = messages === 0 && state.left > 0;
      if (!last) return void (to === server && to.readyState === WebSocket.CONNECTING ? waiting.push(String(data)) : pass(to, String(data)));
      state.left -= 1;
      if (random() < 0.5) return cut();
      // The message is passed on, but not the answer to it.
      if (to.readyState !== WebSocket.OPEN) return cut();
      to.send(String(data), cut);
    };
    client.on('message', relay(server)).on('close', () => server.terminate()).on('error', cut);
    server.on('open', () => waiting.splice(0).forEach((text) => pass(server, text)));
    server.on('message', relay(client)).on('error', cut);
    server.on('close', (code, reason) => client.close(code === 1006 ? 1011 : code, reason));
  });
  await new Promise((listening) => proxy.on('listening', listening));
  return { state, proxy, address: `ws://127.0.0.1:${(proxy.address() as AddressInfo).port}/v1/ws` };
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

/** Runs an action repeatedly until so many cuts are left, and checks that each run was applied once. */
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
  // Each run takes the same number of sequence numbers, so nothing else is between two runs.
  expect(new Set(ends.slice(1).map((end, index) => end - ends[index]!)).size).toBe(1);

  const twin = watcher.instance('onboarding', instance.key);
  await until(twin.status, (status) => status !== undefined);
  expect(twin.view.get()).toEqual(instance.view.get());
  expect(twin.actions.get()).toEqual(instance.actions.get());
  twin.close();
  instance.close();
}

describe.each(servers)('a connection that breaks all the time, $name,', ({ url, cuts }) => {
  test.skipIf(url === '')(
    'loses nothing and does nothing twice',
    async () => {
      const { state, proxy, address } = await cuttingProxy(url, cuts, numbers(seed));
      const tokenStore = memoryTokenStore();
      const client = connect({ url: address, platform: { ...browser(WebSocket), _random: () => 0 }, visitor: visitor(tokenStore) });
      const watcher = connect({ url, webSocket: WebSocket, visitor: visitor(tokenStore), onAction: () => true });
      while (state.left > 0) {
        const until = state.left - 100;
        await play(client, watcher, () => state.left <= Math.max(0, until));
      }
      client.close();
      watcher.close();
      proxy.close();
    },
    // Generous: the machine may run other tests at the same time.
    180_000 + 60 * cuts,
  );
});
