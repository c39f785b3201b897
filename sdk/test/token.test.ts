import { afterEach, expect, test, vi } from 'vitest';
import { connect, forgetStartId, startId } from '../src/index.js';
import { FakeServer } from '../src/testing.js';
import { localTokenStore, memoryTokenStore, type TokenStore, visitor } from '../src/visitor.js';

afterEach(() => vi.unstubAllGlobals());

/** A `localStorage` or `sessionStorage`. */
function storage() {
  const items = new Map<string, string>();
  return {
    items,
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
    removeItem: (name: string) => void items.delete(name),
  };
}

/** A server that gives each anonymous start a token for its tree, and shows a connection the instances of its tokens. */
function visitable() {
  const server = new FakeServer();
  const trees = new WeakMap<object, Set<string>>();
  const expired = new Set<string>();
  let refusals = 0;
  const rootOf = (token: unknown) => String(token).replace('token of ', '');
  let started = 0;
  server.on('hello', (frame, connection) => {
    if (expired.has(String(frame.token))) return connection.drop(4401, 'expired');
    const seen = new Set(frame.token === undefined ? [] : [rootOf(frame.token)]);
    trees.set(connection, seen);
    const resume = frame.resume as { instance: string }[];
    const hidden = resume.filter(({ instance }) => !seen.has(instance));
    server.answer({ ...frame, resume: resume.filter((point) => !hidden.includes(point)) }, connection);
    hidden.forEach(({ instance }) => {
      connection.push({ type: 'error', channel: `instance/${instance}`, code: 'not_found', message: 'hidden', retryable: false });
    });
  });
  server.on('auth', (frame, connection) => {
    const { id, token } = frame;
    if (refusals-- > 0) {
      return connection.push({ type: 'error', id, code: 'rate_limited', message: 'wait', retryable: true, afterMs: 10 });
    }
    if (expired.has(String(token))) return connection.push({ type: 'error', id, code: 'token_expired', message: 'over' });
    trees.get(connection)!.add(rootOf(token));
    server.answer(frame, connection);
  });
  server.on('start', ({ id, process }, connection) => {
    const key = `${String(process)}-${(started += 1)}`;
    trees.get(connection)!.add(key);
    connection.cursors.set(key, 0);
    server.instance(key).push({ type: 'data', body: { key } });
    connection.push({ type: 'reply', id, seq: 1, result: { instance: key, token: `token of ${key}` } });
  });
  for (const type of ['subscribe', 'run']) {
    server.on(type, (frame, connection) => {
      const key = String(frame.instance ?? frame.channel).replace('instance/', '');
      if (trees.get(connection)!.has(key)) return server.answer(frame, connection);
      connection.push({ type: 'error', id: frame.id, code: 'not_found', message: 'hidden', retryable: false });
    });
  }
  const visit = async (tokenStore: TokenStore) => {
    const client = connect({ url: 'ws://test', platform: server.platform, visitor: visitor(tokenStore) });
    await server.advance();
    return client;
  };
  return { server, visit, expired, refuseTokens: (times: number) => void (refusals = times) };
}

test('a token answered busy is sent again, before the commands that need it', async () => {
  const { server, visit, refuseTokens } = visitable();
  const tokenStore = memoryTokenStore();
  const before = await visit(tokenStore);
  const starting = Promise.all(['a', 'b', 'c'].map((process) => before.start(process)));
  await server.advance();
  const keys = (await starting).map(({ key }) => key);
  before.close();
  const client = await visit(tokenStore);
  // More attempts than a busy server gets.
  refuseTokens(12);
  const instances = keys.map((key) => client.instance('p', key));
  const running = Promise.all(instances.map((instance) => instance.run('save')));
  await server.advance(20_000);
  expect((await running).map(({ duplicate }) => duplicate)).toEqual([false, false, false]);
  expect(instances.map(({ error }) => error.get())).toEqual([undefined, undefined, undefined]);
  client.close();
});

test('several anonymous starts in one page all survive a cut', async () => {
  const { server, visit } = visitable();
  const client = await visit(memoryTokenStore());
  const starting = Promise.all(['a', 'b', 'c'].map((process) => client.start(process)));
  await server.advance();
  const instances = await starting;
  expect(new Set(server.sent('start').map(({ nonce }) => nonce)).size).toBe(1);
  instances.forEach(({ key }) => server.instance(key).push({ type: 'data', body: { before: true } }));
  server.connection.drop();
  await server.advance();
  instances.forEach(({ key }) => server.instance(key).push({ type: 'data', body: { missed: true } }));
  const running = instances[2]!.run('save');
  await server.advance(1_000);
  await running;
  expect(server.sent('hello')[1]).toMatchObject({ token: 'token of a-1', resume: [{ instance: 'a-1', after: 2 }] });
  expect(server.sent('auth').map(({ token }) => token)).toEqual(['token of b-2', 'token of c-3']);
  expect(server.sent('subscribe')).toMatchObject([
    { channel: 'instance/b-2', after: 2 },
    { channel: 'instance/c-3', after: 2 },
  ]);
  for (const { view, error } of instances) expect([view.get().missed, error.get()]).toEqual([true, undefined]);
});

test('a reload continues with each tree that the page requests', async () => {
  vi.stubGlobal('localStorage', storage());
  const { server, visit } = visitable();
  const before = await visit(localTokenStore('app'));
  const starting = Promise.all([before.start('a'), before.start('b')]);
  await server.advance();
  await starting;
  before.close();

  const client = connect({ url: 'ws://test', platform: server.platform, visitor: visitor(localTokenStore('app')) });
  const [a, b] = [client.instance('a', 'a-1'), client.instance('b', 'b-2')];
  await server.advance();
  expect([a.view.get(), b.view.get()]).toEqual([{}, {}]);
  expect([a.error.get(), b.error.get()]).toEqual([undefined, undefined]);
  expect(server.sent('hello')[1]).toMatchObject({ token: 'token of a-1' });

  const idle = await visit(localTokenStore('app'));
  expect(server.sent('hello')[2]?.token).toBeUndefined();
  const late = idle.instance('b', 'b-2');
  await server.advance();
  expect(late.error.get()).toBeUndefined();
});

test('expired tokens are forgotten, one by one, and the others continue', async () => {
  const { server, visit, expired } = visitable();
  const tokens = memoryTokenStore();
  const client = await visit(tokens);
  const starting = Promise.all(['a', 'b', 'c'].map((process) => client.start(process)));
  await server.advance();
  const [a, b, c] = await starting;
  expired.add('token of a-1').add('token of c-3');
  server.connection.drop(4401);
  await server.advance(2_000);
  expect(client.status.get()).toBe('live');
  expect(['a-1', 'b-2', 'c-3'].map((key) => tokens.get(key))).toEqual([undefined, 'token of b-2', undefined]);
  expect([a, b, c].map((instance) => instance!.error.get()?.code)).toEqual(['not_found', undefined, 'not_found']);
});

test('a server that requires a token from every client is reported by name', async () => {
  const { server, visit } = visitable();
  server.on('hello', (_, connection) => connection.drop(4401, 'a token is needed'));
  const client = await visit(memoryTokenStore());
  expect(client.status.get()).toBe('signedOut');
  expect(client.lastError.get()).toMatchObject({ code: 'unauthenticated', closeCode: 4401 });
});

test('the store is bounded, and shared by tabs', () => {
  vi.stubGlobal('localStorage', storage());
  const [tab, other] = [localTokenStore('app'), localTokenStore('app')];
  expect(tab.nonce()).toMatch(/^[0-9a-f]{32}$/);
  expect(other.nonce()).toBe(tab.nonce());
  for (let index = 0; index < 110; index += 1) (index % 2 ? tab : other).set(`k${index}`, `t${index}`);
  expect([tab.get('k9'), tab.get('k10'), other.get('k109')]).toEqual([undefined, 't10', 't109']);
  tab.set('k109', undefined);
  expect(other.get('k109')).toBeUndefined();
});

test('missing, full, forbidden or damaged storage causes no failure', () => {
  const refuse = () => {
    throw new Error('denied');
  };
  const spoilt = ['no JSON', '7', 'null', '{"nonce":1,"tokens":[]}', '{"nonce":"n","tokens":[["k"]]}', '{"nonce":"n"}'];
  const local = spoilt.map((text) => ({ ...storage(), getItem: () => text }));
  for (const place of [undefined, { getItem: refuse, setItem: refuse }, { ...storage(), setItem: refuse }, ...local]) {
    vi.stubGlobal('localStorage', place);
    const tokens = localTokenStore('app');
    expect(tokens.nonce()).toBe(tokens.nonce());
    tokens.set('k', 't');
    expect(tokens.get('k')).toBe('t');
  }
});

test('the id of a start is kept until it is forgotten', () => {
  for (const place of [storage(), undefined]) {
    vi.stubGlobal('sessionStorage', place);
    const id = startId('signup');
    expect(startId('signup')).toBe(id);
    expect(startId('other')).not.toBe(id);
    forgetStartId('signup');
    expect(startId('signup')).not.toBe(id);
    forgetStartId('signup');
    forgetStartId('other');
  }
});
