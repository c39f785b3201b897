// @vitest-environment happy-dom
/** The hooks, in StrictMode, on a server, suspended, and through a lost connection. */
import { act, type ReactNode, StrictMode, Suspense } from 'react';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Client, connect, type Instance } from '../src/index.js';
import { StepwireProvider, useAction, useConnection, useInstance, useInstances, useStore, useTasks } from '../src/react.js';
import { FakeServer } from '../src/testing.js';

let root: Root | undefined;
let page: HTMLElement;

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  page = document.createElement('main');
});
afterEach(() => act(async () => root?.unmount()));

const save = { element: 'e', node: 'n', order: 1, type: 'saveData', required: 'mandatory', repeatable: false, back: false };

function serve() {
  const server = new FakeServer();
  const fake = server.instance('k');
  fake.push({ type: 'data', body: (fake.view = { name: 'Ada', tags: ['a'] }) });
  fake.progress({ actions: [{ name: 'save', keys: ['name', 'deep.er', 'none.here'], requiredKeys: [], ...save } as never] });
  const client = connect({ url: 'ws://test', getToken: () => 'token', platform: server.platform });
  return { server, fake, client };
}

async function show(client: Client | undefined, children: ReactNode): Promise<void> {
  root = createRoot(page);
  await act(async () => root!.render(<StrictMode children={<StepwireProvider client={client} children={children} />} />));
}

/** Carries frames over, and lets React and promises settle. */
const pass = (server: FakeServer, ms = 0) => act(() => server.advance(ms));

function Shown({ which = 'k' as never }: { which?: string }) {
  const { view, actions, status, connection, error } = useInstance('onboarding', which);
  return <p>{JSON.stringify([view, actions.map(({ name }) => name), status ?? null, connection, error?.code ?? null])}</p>;
}

test('an instance by its key is followed once in StrictMode, and let go of at the end', async () => {
  const { server, fake, client } = serve();
  await show(client, <Shown />);
  expect(page.textContent).toBe('[{},[],null,"connecting",null]');
  await pass(server);
  expect(page.textContent).toBe('[{"name":"Ada","tags":["a"]},["save"],"started","live",null]');
  await act(async () => {
    fake.push({ type: 'data', body: { name: 'Grace' } });
    await server.advance();
  });
  expect(page.textContent).toContain('Grace');
  expect([server.sent('subscribe').length, server.sent('unsubscribe').length]).toEqual([1, 0]);
  server.connection.drop();
  await pass(server);
  expect(page.textContent).toContain('reconnecting');
  await pass(server, 1_000);
  expect(page.textContent).toContain('live');
  await act(async () => root!.unmount());
  await pass(server);
  expect(server.sent('unsubscribe')).toHaveLength(1);
});

test('a start with an id is one start, and a refusal is told', async () => {
  const { server, client } = serve();
  function Started() {
    const { instance, view, error } = useInstance('onboarding', { id: '0197aaaa-0000-7000-8000-000000000000' });
    return <p>{error?.code ?? `${instance?.key} ${JSON.stringify(view)}`}</p>;
  }
  server.instance('key-onboarding').push({ type: 'data', body: { a: 1 } });
  await show(client, <Started />);
  await pass(server);
  expect(page.textContent).toBe('key-onboarding {"a":1}');
  expect(server.sent('start')).toHaveLength(1);
  await act(async () => root!.unmount());
  await pass(server);
  expect(server.sent('unsubscribe')).toHaveLength(1);
  server.on('start', ({ id }, connection) => connection.push({ type: 'error', id, code: 'not_found', message: 'no such process' }));
  await show(client, <Started />);
  await pass(server);
  expect(page.textContent).toBe('not_found');
});

test('another key is another instance, and none as long as it is undefined', async () => {
  const { server, client } = serve();
  server.instance('other').view = { other: true };
  await show(client, <Shown which={undefined} />);
  await pass(server);
  await act(async () => root!.render(<StepwireProvider client={client} children={<Shown which="other" />} />));
  await pass(server);
  expect(page.textContent).toContain('"other":true');
  await act(async () => root!.render(<StepwireProvider client={client} children={<Shown which="k" />} />));
  await pass(server);
  expect(page.textContent).toContain('Ada');
  expect(server.sent('unsubscribe').map(({ channel }) => channel)).toContain('instance/other');
});

test('on a server nothing is opened, and the page takes over what it has rendered', async () => {
  const { server, client } = serve();
  const app = (shown: Client | undefined) => <StepwireProvider client={shown} children={<Shown />} />;
  const html = renderToString(app(undefined));
  expect(html).toContain('connecting');
  expect(server.connections).toHaveLength(0);
  page.innerHTML = html;
  await act(async () => (root = hydrateRoot(page, app(client))));
  await pass(server);
  expect(page.textContent).toContain('Ada');
});

let runs: ReturnType<typeof useAction>['run'];
function Action({ instance }: { instance: Instance | undefined }) {
  const { action, initial, pending, error, fields, run, reset } = useAction(instance as Instance | undefined, 'save');
  runs = run;
  return (
    <button onClick={reset} title={JSON.stringify(initial)}>{JSON.stringify([action?.name ?? null, pending, error?.code ?? null, Object.keys(fields)])}</button>
  );
}
function WithAction() {
  return <Action instance={useInstance('onboarding', 'k').instance as Instance | undefined} />;
}

test('an action has its pending, its error, its fields', async () => {
  const { server, fake, client } = serve();
  fake.push({ type: 'data', body: (fake.view = { name: 'Ada', deep: { er: 1, other: 2 } }) });
  await show(client, <WithAction />);
  expect(page.textContent).toBe('[null,false,null,[]]');
  await pass(server);
  expect(page.querySelector('button')!.title).toBe('{"name":"Ada","deep":{"er":1}}');
  const fields = { name: { code: 'required', message: 'missing', params: {} } };
  server.on('run', ({ id }, connection) =>
    connection.push({ type: 'error', id, code: 'invalid_data', message: 'expected a name', retryable: false, fields }),
  );
  let running: Promise<unknown>;
  await act(async () => void (running = runs({})));
  expect(page.textContent).toBe('["save",true,null,[]]');
  await pass(server);
  expect(await running!).toBeUndefined();
  expect(page.textContent).toBe('["save",false,"invalid_data",["name"]]');
  await act(async () => page.querySelector('button')!.click());
  expect(page.textContent).toBe('["save",false,null,[]]');
  server.on('run', (frame, connection) => server.answer(frame, connection));
  await act(async () => void (running = runs({ name: 'Ada' }, { optimistic: { name: 'Ada' } })));
  await pass(server);
  expect(await running!).toMatchObject({ duplicate: false });
  expect(server.sent('run').at(-1)).toMatchObject({ action: 'save', data: { name: 'Ada' } });
});

test('a part of a store renders only when it says something else, also when the part itself is another', async () => {
  const { server, fake, client } = serve();
  let renders = 0;
  function Part({ instance, index }: { instance: Instance; index: number }) {
    renders += 1;
    return <p>{JSON.stringify(useStore(instance.view, (view) => [(view as { tags?: string[] }).tags?.[index] ?? null]))}</p>;
  }
  const instance = client.instance('p', 'k');
  const app = (index: number) => <StepwireProvider client={client} children={<Part instance={instance} index={index} />} />;
  root = createRoot(page);
  await act(async () => root!.render(app(0)));
  await pass(server);
  expect(page.textContent).toBe('["a"]');
  const before = renders;
  await act(async () => {
    fake.push({ type: 'data', body: { name: 'Grace' } });
    await server.advance();
  });
  expect(renders).toBe(before);
  await act(async () => root!.render(app(1)));
  expect(page.textContent).toBe('[null]');
});

test('suspended until the first step, and a refusal goes to the error boundary', async () => {
  const { server, client } = serve();
  function Suspended() {
    return <p>{JSON.stringify(useInstance('onboarding', 'k', { suspense: true }).view)}</p>;
  }
  await show(client, <Suspense fallback={<i>wait</i>} children={<Suspended />} />);
  expect(page.textContent).toBe('wait');
  await pass(server);
  await act(async () => undefined);
  expect(page.textContent).toBe('{"name":"Ada","tags":["a"]}');
  expect(server.sent('subscribe')).toHaveLength(1);
});

test('lists and the connection', async () => {
  const { server, client } = serve();
  server.tasks.lines = [{ element: 'e1', createdAt: '2030-01-01T00:00:00Z' } as never];
  server.process('*').lines = [{ instance: 'k', createdAt: '2030-01-01T00:00:00Z' } as never];
  function Lists() {
    const { tasks } = useTasks();
    const { instances } = useInstances('*');
    const { status } = useConnection();
    return <p>{JSON.stringify([tasks?.length ?? null, instances?.length ?? null, status])}</p>;
  }
  await show(client, <Lists />);
  expect(page.textContent).toBe('[null,null,"connecting"]');
  await pass(server);
  expect(page.textContent).toBe('[1,1,"live"]');
  expect(server.sent('subscribe')).toHaveLength(2);
});
