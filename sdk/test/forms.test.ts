// @vitest-environment happy-dom
/** The form element, on a server in memory. The checks of inputs, which only a browser has, are tested by the examples' tests. */
import { afterEach, expect, test, vi } from 'vitest';
import { connect } from '../src/index.js';
import { StepwireForm } from '../src/forms.js';
import { FakeServer } from '../src/testing.js';

const SCHEMA = {
  type: 'object',
  required: ['client'],
  properties: {
    client: {
      type: 'object',
      title: 'About you',
      required: ['firstName'],
      properties: {
        age: { type: 'integer', minimum: 18, description: 'In years' },
        firstName: { type: 'string', title: 'Given name', minLength: 2 },
        plan: { oneOf: [{ const: 'a', title: 'Plan A' }, { const: 2, title: 'Plan B' }] },
      },
    },
    consent: { type: 'boolean' },
    loan: { type: ['string', 'null'] },
    tags: { type: 'array', items: { type: 'string' } },
  },
};
const KEYS = ['client.firstName', 'client.age', 'client.plan', 'loan', 'consent', 'tags'];

const action = (more: object = {}) => ({
  name: 'save',
  element: 'e1',
  node: 'n',
  order: 1,
  type: 'saveData',
  required: 'mandatory',
  repeatable: false,
  back: false,
  keys: KEYS,
  requiredKeys: ['client.firstName'],
  schema: 's1',
  ...more,
});

async function shown(schemas: object = { s1: SCHEMA }) {
  const server = new FakeServer();
  server.on('hello', (frame, connection) => {
    server.answer(frame, connection);
    if (frame.schemas) connection.push({ type: 'schemas', schemas });
  });
  const fake = server.instance('k');
  fake.push({ type: 'data', body: (fake.view = { client: { firstName: 'Ada', age: 36 }, loan: 'much' }) });
  fake.progress({ actions: [action() as never] });
  const client = connect({ url: 'ws://test', getToken: () => 'token', platform: server.platform, schemas: true });
  const form = document.createElement('stepwire-form');
  form.action = 'save';
  form.instance = client.instance('p', 'k');
  document.body.append(form);
  await server.advance();
  const root = form.shadowRoot!;
  const input = (name: string) => root.querySelector<HTMLInputElement>(`[name="${name}"]`)!;
  const type = (name: string, value: string) => {
    input(name).value = value;
    input(name).dispatchEvent(new Event('input'));
  };
  const part = (name: string) => root.querySelector<HTMLElement>(`[part~="${name}"]`)!;
  const errorAt = (name: string) => input(name).parentElement!.querySelector('[part="error"]')!.textContent;
  return { server, fake, client, form, root, input, type, part, errorAt };
}

afterEach(() => document.body.replaceChildren());

test('inputs by the schema, in the order of the keys, with labels, hints and values of the view', async () => {
  const { server, root, input } = await shown();
  expect(server.sent('hello')[0]).toMatchObject({ schemas: true });
  expect([...root.querySelectorAll('label')].map(({ textContent }) => textContent)).toEqual([
    'Given name',
    'Age',
    'Plan',
    'Loan',
    'Consent',
    'Tags',
  ]);
  expect(root.querySelector('legend')!.textContent).toBe('About you');
  expect([input('client.firstName').value, input('client.age').value, input('loan').value]).toEqual(['Ada', '36', 'much']);
  expect([input('client.age').type, input('consent').type, input('tags').tagName]).toEqual(['number', 'checkbox', 'TEXTAREA']);
  expect([...input('client.plan').querySelectorAll('option')].map((option) => option.textContent)).toEqual(['', 'Plan A', 'Plan B']);
  expect([input('client.firstName').required, input('client.age').required]).toEqual([true, false]);
  for (const label of root.querySelectorAll('label')) expect(root.getElementById(label.htmlFor)).not.toBeNull();
  const described = input('client.age').getAttribute('aria-describedby')!.split(' ');
  expect(described.map((id) => root.getElementById(id)!.textContent)).toEqual(['In years', '']);
  expect(input('tags').parentElement!.textContent).toContain('As JSON');
});

test('sends the values of its inputs, by type', async () => {
  const { server, form, input, type } = await shown();
  const done: unknown[] = [];
  form.addEventListener('stepwire-done', (event) => done.push((event as CustomEvent).detail));
  type('client.age', '40');
  (input('client.plan') as unknown as HTMLSelectElement).selectedIndex = 2;
  input('client.plan').dispatchEvent(new Event('input'));
  input('consent').checked = true;
  input('consent').dispatchEvent(new Event('input'));
  type('loan', '');
  type('tags', '["a", "b"]');
  const sending = form.send();
  await server.advance();
  expect(await sending).toBe(true);
  expect(done).toHaveLength(1);
  expect(server.sent('run')).toMatchObject([
    {
      action: 'save',
      element: 'e1',
      data: { client: { firstName: 'Ada', age: 40, plan: 2 }, loan: null, consent: true, tags: ['a', 'b'] },
    },
  ]);
});

test('errors of a refusal are shown at their inputs, also for parts of a value, the others below', async () => {
  const { server, form, input, part, errorAt, type } = await shown();
  form.texts = { minimum: 'Mindestens {}' };
  const fault = (code: string, message: string, params = {}) => ({ code, message, params });
  const fields = {
    'client.age': fault('minimum', 'expected at least 18', { limit: 18 }),
    'tags[1]': fault('type', 'expected a text'),
    elsewhere: fault('additionalProperties', 'expected nothing here'),
  };
  server.on('run', ({ id }, connection) =>
    connection.push({ type: 'error', id, code: 'invalid_data', message: 'expected valid data', retryable: false, fields }),
  );
  type('client.age', '40');
  const sending = form.send();
  await server.advance();
  expect(await sending).toBe(false);
  expect([errorAt('client.age'), errorAt('tags'), errorAt('loan')]).toEqual(['Mindestens 18', 'expected a text', '']);
  expect(part('status').textContent).toBe('elsewhere: expected nothing here');
  expect([input('client.age').ariaInvalid, input('loan').ariaInvalid]).toEqual(['true', 'false']);
  expect(form.shadowRoot!.activeElement).toBe(input('client.age'));
  expect(input('client.age').value).toBe('40');
  server.on('run', ({ id }, connection) =>
    connection.push({ type: 'error', id, code: 'conflict', message: 'expected it to be the newest', retryable: false }),
  );
  const again = form.send();
  await server.advance();
  expect(await again).toBe(false);
  expect([errorAt('client.age'), part('status').textContent]).toEqual(['', 'expected it to be the newest']);
});

test('input that the browser finds invalid is reported in its words, and not sent', async () => {
  const { server, form, type, errorAt } = await shown();
  type('client.age', '3');
  type('client.firstName', '');
  expect(await form.send()).toBe(false);
  await server.advance();
  expect(server.sent('run')).toEqual([]);
  expect([errorAt('client.age'), errorAt('client.firstName')].every(Boolean)).toBe(true);
  expect(errorAt('loan')).toBe('');
});

test('invalid JSON is not sent', async () => {
  const { server, form, errorAt, type } = await shown();
  type('tags', '[');
  expect(await form.send()).toBe(false);
  await server.advance();
  expect(server.sent('run')).toEqual([]);
  expect(errorAt('tags')).toContain('SyntaxError');
});

test('typed text survives a lost connection, changes by others, and the end of the task, which is shown', async () => {
  const { server, fake, input, type, part } = await shown();
  type('client.firstName', 'Grace');
  server.connection.drop();
  await server.advance(1_000);
  fake.push({ type: 'data', body: { client: { firstName: 'Someone', age: 50 } } });
  await server.advance();
  expect([input('client.firstName').value, input('client.age').value]).toEqual(['Grace', '50']);
  expect(part('submit')).toMatchObject({ disabled: false });

  const node = { element: 'e1', node: 'n', name: '', type: 'userTask', readOnly: true, assignee: 'ben' };
  fake.progress({ actions: [], nodes: [node] });
  await server.advance();
  expect([input('client.firstName').value, part('status').textContent]).toEqual([
    'Grace',
    'Somebody else has this task; what you typed is kept.',
  ]);
  expect(part('submit')).toMatchObject({ disabled: true });
  fake.progress({ actions: [action() as never], nodes: [] });
  await server.advance();
  expect([part('status').textContent, input('client.firstName').value]).toEqual(['', 'Grace']);
  fake.progress({ actions: [], nodes: [] });
  await server.advance();
  expect(part('status').textContent).toContain('not offered');
  fake.progress({ status: 'finished', actions: [], nodes: [] });
  await server.advance();
  expect(part('status').textContent).toBe('The process has ended; what you typed is kept.');
  expect(input('client.firstName').value).toBe('Grace');
});

test('another version keeps the typed text at paths that still exist', async () => {
  const other = { type: 'object', properties: { loan: { type: 'string' }, extra: {} } };
  const { server, fake, input, type } = await shown({ s1: SCHEMA, s2: other });
  type('loan', 'typed');
  type('client.age', '99');
  fake.progress({ actions: [action({ schema: 's2', keys: ['loan', 'extra'], requiredKeys: [] }) as never] });
  await server.advance();
  expect([input('loan').value, input('client.age'), input('extra').value]).toEqual(['typed', null, '']);
});

test('data that do not match the schema are shown as far as possible', async () => {
  const s1 = {
    type: 'object',
    properties: {
      client: { type: 'object', properties: { age: { type: 'integer' }, plan: { enum: ['a', 'b'] } } },
      consent: { type: 'boolean' },
      due: { type: 'string', format: 'date-time' },
      loan: { type: 'string' },
      tags: { type: 'array' },
    },
  };
  const { server, fake, form, input, type } = await shown({ s1 });
  for (const client of ['a text', null, [1], { age: 'old', plan: 7 }]) {
    fake.push({ type: 'data', body: { client, consent: 'yes', due: 'nonsense', loan: { amount: 5 }, tags: 'a' } });
    await server.advance();
    expect([input('client.age').value, input('client.plan').value, input('consent').checked, input('due').value]).toEqual(['', '', false, '']);
    expect([input('loan').value, input('tags').value]).toEqual(['{"amount":5}', '"a"']);
  }
  type('client.age', '40');
  type('loan', 'much');
  const sending = form.send();
  await server.advance();
  expect(await sending).toBe(true);
  expect(server.sent('run')).toMatchObject([{ data: { client: { age: 40 }, loan: 'much', consent: false } }]);
});

test('a schema without a matching input gets a field for JSON, labelled so', async () => {
  const s1 = {
    $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } },
    type: 'object',
    required: ['any'],
    properties: {
      any: { anyOf: [{ type: 'string' }, { type: 'number' }] },
      either: { oneOf: [{ type: 'object' }, { type: 'array' }] },
      list: { type: 'array', description: 'One or more' },
      map: { type: 'object', additionalProperties: { type: 'number' } },
      tree: { $ref: '#/$defs/node' },
      whatever: true,
    },
  };
  const { server, fake, form, input, type } = await shown({ s1 });
  fake.progress({ actions: [action({ keys: ['any', 'either', 'list', 'map', 'tree', 'whatever'], requiredKeys: ['any'] }) as never] });
  await server.advance();
  const hintOf = (name: string) => form.shadowRoot!.getElementById(input(name).getAttribute('aria-describedby')!.split(' ')[0]!)!.textContent;
  for (const name of ['any', 'either', 'list', 'map', 'tree']) expect([name, input(name).tagName]).toEqual([name, 'TEXTAREA']);
  expect([hintOf('any'), hintOf('tree'), hintOf('list')]).toEqual(['As JSON.', 'As JSON.', 'One or more · As JSON.']);
  type('any', '7');
  type('tree', '{"next": {}}');
  type('list', 'nonsense');
  expect(await form.send()).toBe(false);
  type('list', '[1]');
  const sending = form.send();
  await server.advance();
  expect(await sending).toBe(true);
  expect(server.sent('run')).toMatchObject([{ data: { any: 7, tree: { next: {} }, list: [1] } }]);
});

test('without schemas each key is a text, and an action without data is a button', async () => {
  const { server, fake, form, root, input } = await shown({});
  expect(root.querySelectorAll('input').length).toBe(KEYS.length);
  expect(input('client.firstName').required).toBe(true);
  fake.progress({ actions: [action({ keys: [], requiredKeys: [], schema: undefined }) as never] });
  await server.advance();
  expect(root.querySelectorAll('input, textarea, select').length).toBe(0);
  const sending = form.send();
  await server.advance();
  expect(await sending).toBe(true);
  expect(server.sent('run')).toMatchObject([{ data: {} }]);
});

test('the element is defined once, and its class can be extended', () => {
  expect(customElements.get('stepwire-form')).toBe(StepwireForm);
});

/** An upload's request, which the test answers. */
class Request {
  static made: Request[] = [];
  status = 0;
  responseText = '';
  body?: FormData;
  upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
  onload?: () => void;
  open = () => undefined;
  setRequestHeader = () => undefined;
  getResponseHeader = () => null;
  send(body: FormData) {
    this.body = body;
    Request.made.push(this);
  }
  answer(status: number, body: object) {
    Object.assign(this, { status, responseText: JSON.stringify(body) });
    this.onload?.();
  }
}

test('an action with a file has an input for it, which shows refusals and progress', async () => {
  vi.stubGlobal('XMLHttpRequest', Request);
  const { server, fake, form, root, input, part, errorAt } = await shown();
  const upload = { type: 'uploadFile', schema: undefined, keys: ['note'], requiredKeys: [], initial: { note: 'mine' }, maxBytes: 5_000, types: ['image/*', 'text/plain'] };
  fake.progress({ actions: [action(upload) as never] });
  await server.advance();
  expect([input('file').type, input('file').required, input('file').accept]).toEqual(['file', true, 'image/*,text/plain']);
  expect(input('file').parentElement!.textContent).toBe('File≤ 5 kB');
  const choose = (size: number) => {
    const files = new DataTransfer();
    files.items.add(new File(['x'.repeat(size)], 'a.txt', { type: 'text/plain' }));
    input('file').files = files.files;
    input('file').dispatchEvent(new Event('input'));
  };
  const progress = part('progress') as HTMLProgressElement;

  choose(5_001);
  expect(await form.send()).toBe(false);
  expect(errorAt('file')).toBe("expected a file of at most 5000 bytes, but 'a.txt' has 5001");
  expect(form.shadowRoot!.activeElement).toBe(input('file'));
  expect(Request.made).toEqual([]);

  // Frames of the server leave the chosen value unchanged.
  choose(10);
  fake.data({ more: 1 });
  await server.advance();
  expect(input('file').files).toHaveLength(1);
  let sending = form.send();
  await vi.waitFor(() => expect(Request.made).toHaveLength(1));
  const [first] = Request.made;
  expect([...first!.body!.keys()]).toEqual(['data', 'file']);
  expect(first!.body!.get('data')).toBe('{"note":"mine"}');
  expect([progress.hidden, root.querySelector('button')!.disabled]).toEqual([true, true]);
  first!.upload.onprogress!({ loaded: 60, total: 120 });
  expect([progress.hidden, progress.value, progress.max]).toEqual([false, 5, 10]);
  first!.answer(422, { code: 'invalid_data', detail: 'no', fields: { file: { code: 'type', message: 'expected a picture', params: {} } } });
  expect(await sending).toBe(false);
  expect([errorAt('file'), progress.hidden, input('file').files!.length]).toEqual(['expected a picture', true, 1]);

  sending = form.send();
  await vi.waitFor(() => expect(Request.made).toHaveLength(2));
  Request.made[1]!.answer(200, { seq: 1, file: {} });
  expect(await sending).toBe(true);
  expect([input('file').value, errorAt('file')]).toEqual(['', '']);
  expect(root.querySelectorAll('[name]')).toHaveLength(2);
  vi.unstubAllGlobals();
});

test('a key with a binary schema is data: its input is for text', async () => {
  const { input } = await shown({ s1: { properties: { loan: { type: 'string', format: 'binary' } } } });
  expect(input('loan').type).toBe('text');
});
