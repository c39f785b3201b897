// @vitest-environment happy-dom
/** The examples of the README: a page that is reloaded, and React's double mount. */
import { readFileSync } from 'node:fs';
import { act, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { beforeEach, expect, test } from 'vitest';
import { type Client, connect } from '@stepwire/client';
import { StepwireProvider } from '@stepwire/client/react';
import { Account } from '../examples/account.js';
import { openAccount, startOver } from '../examples/page.js';
import type { Processes } from '../examples/processes.js';
import { FakeServer } from '../src/testing.js';
import { localTokenStore, visitor } from '../src/visitor.js';

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
});

/** A server that knows a start by its id and nonce, as the real one does. */
function onboarding() {
  const server = new FakeServer();
  const known = new Map<string, string>();
  server.on('start', ({ id, nonce, subscribe }, connection) => {
    const start = `${String(id)}/${String(nonce)}`;
    const duplicate = known.has(start);
    const key = known.get(start) ?? `k${known.size + 1}`;
    known.set(start, key);
    const fake = server.instance(key);
    if (!duplicate) {
      fake.push({ type: 'data', body: { form: 'details' } });
      const save = { element: 'e', node: 'n', order: 1, type: 'saveData', required: 'mandatory', repeatable: false, back: false };
      fake.progress({ actions: [{ name: 'save', keys: [], requiredKeys: [], ...save } as never] });
    }
    if (subscribe !== false) connection.cursors.set(key, 0);
    fake.replay(connection);
    connection.push({ type: 'reply', id, seq: fake.log.length, duplicate, result: { instance: key, token: `token of ${key}` } });
  });
  const visit = () => connect<Processes>({ url: 'ws://test', platform: server.platform, visitor: visitor(localTokenStore('account')) });
  return { server, known, visit };
}

test('a page that is reloaded goes on with the same instance, until it starts over', async () => {
  const { server, known, visit } = onboarding();
  const load = async () => {
    const [client, page] = [visit(), document.createElement('main')];
    void openAccount(client, page);
    await server.advance();
    return { client, page };
  };
  const first = await load();
  expect(first.page.textContent).toBe('[{"form":"details"},["save"]]');
  expect(first.page.dataset.connection).toBe('live');
  first.client.close();
  const second = await load();
  expect(second.page.textContent).toBe(first.page.textContent);
  expect(known.size).toBe(1);
  second.client.close();
  startOver();
  const third = await load();
  expect(third.page.textContent).toBe(first.page.textContent);
  expect(known.size).toBe(2);
});

test('a reload before the answer came does not start twice', async () => {
  const { server, known, visit } = onboarding();
  const client = visit();
  void openAccount(client, document.createElement('main'));
  for (let turn = 0; server.sent('start').length === 0 && turn < 100; turn += 1)
    await Promise.resolve().then(() => server.advance());
  client.close();
  const again = visit();
  void openAccount(again, document.createElement('main'));
  await server.advance();
  expect([known.size, server.sent('start').length]).toEqual([1, 2]);
});

test('without a server the page says so after its time', async () => {
  const { server, visit } = onboarding();
  server.on('hello', (_, connection) => connection.drop(1006));
  const page = document.createElement('main');
  void openAccount(visit(), page);
  await server.advance(15_000);
  expect(page.textContent).toContain('timeout');
  expect(page.dataset.connection).toBe('lost');
});

const app = (client: Client<Processes>) => (
  <StrictMode children={<StepwireProvider client={client} children={<Account />} />} />
);
const name = (page: HTMLElement) => page.querySelector('input')!;

test('React mounts twice in StrictMode, and starts once', async () => {
  const { server, known, visit } = onboarding();
  const [client, page] = [visit(), document.createElement('main')];
  const root = createRoot(page);
  await act(async () => root.render(app(client)));
  await act(() => server.advance());
  expect(page.querySelector('button')!.disabled).toBe(false);
  expect([known.size, server.sent('start').length]).toEqual([1, 1]);

  server.on('run', ({ id, data }, connection) => {
    const { name } = (data as { client: { name: string } }).client;
    const fields = { 'client.name': { code: 'minLength', message: 'too short', params: {} } };
    connection.push({ type: 'error', id, code: 'invalid_data', message: name, fields, retryable: false });
  });
  name(page).value = 'A';
  await act(async () => page.querySelector('form')!.requestSubmit());
  expect(page.querySelector('button')!.disabled).toBe(true);
  await act(() => server.advance());
  expect(server.sent('run')).toMatchObject([{ action: 'save', data: { client: { name: 'A' } } }]);
  expect(name(page).getAttribute('aria-invalid')).toBe('true');

  await act(async () => root.unmount());
  await server.advance();
  expect(server.sent('unsubscribe')).toMatchObject([{ channel: 'instance/k1' }]);
  client.close();
});

test('a component that comes and goes before the answer leaves nothing behind', async () => {
  const { server, visit } = onboarding();
  const root = createRoot(document.createElement('main'));
  await act(async () => root.render(app(visit())));
  await act(async () => root.unmount());
  await server.advance();
  expect(server.sent('unsubscribe')).toHaveLength(1);
});

test('the README shows the examples as they are', () => {
  const read = (name: string) => readFileSync(name, 'utf8');
  const readme = read('README.md');
  for (const name of ['examples/page.ts', 'examples/account.tsx', 'examples/register.d.ts']) expect(readme).toContain(read(name).trim());
});
