import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connect } from '../src/index.js';
import { openTask } from '../src/task.js';
import { FakeServer } from '../src/testing.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function opened() {
  const server = new FakeServer();
  const client = connect({ url: 'ws://test', getToken: () => 'token', platform: server.platform });
  const instance = client.instance('p', 'k');
  await server.advance();
  const task = openTask(client, instance, { element: 'k-3', action: 'save' });
  await server.advance();
  return { server, client, instance, task };
}

test('typed text is saved by the server within a second, the newest version', async () => {
  const { server, task } = await opened();
  task.save({ name: 'A' });
  task.save({ name: 'Ad' });
  await vi.advanceTimersByTimeAsync(999);
  await server.advance();
  expect(server.sent('draft')).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  await server.advance();
  expect(server.sent('draft')).toMatchObject([{ instance: 'k', element: 'k-3', action: 'save', data: { name: 'Ad' } }]);
  expect(server.sent('presence').map(({ state }) => state)).toEqual(['open', 'typing']);
});

test('the draft and the other users are stores, sent again after a cut', async () => {
  const { server, task } = await opened();
  const note = (frame: object) => server.connection.push({ channel: 'instance/k', element: 'k-3', ...frame });
  note({ type: 'drafted', action: 'save', data: { name: 'Ada' } });
  note({ type: 'drafted', action: 'other', data: {} });
  note({ type: 'present', users: [{ user: 'bob', typing: true, since: '2030-01-01T00:00:00Z' }] });
  await server.advance();
  expect(task.draft.get()).toEqual({ name: 'Ada' });
  expect(task.others.get()).toMatchObject([{ user: 'bob', typing: true }]);
  note({ type: 'drafted', action: 'save', data: null });
  await server.advance();
  expect(task.draft.get()).toBeUndefined();
  server.connection.drop();
  await server.advance(1_000);
  expect(task.others.get()).toEqual([]);
  expect(server.sent('presence').map(({ state }) => state)).toEqual(['open', 'open']);
});

test('a run is sent after the draft in progress, and no draft after it', async () => {
  const { server, task } = await opened();
  const answers: (() => void)[] = [];
  server.on('draft', (frame, connection) => void answers.push(() => server.answer(frame, connection)));
  task.save({ name: 'Ad' });
  await vi.advanceTimersByTimeAsync(1_000);
  task.save({ name: 'Ada' });
  const running = task.run({ name: 'Ada' });
  await server.advance();
  expect(server.sent('run')).toEqual([]);
  answers.forEach((answer) => answer());
  await server.advance();
  await running;
  await vi.advanceTimersByTimeAsync(5_000);
  await server.advance();
  expect(server.sent('run')).toMatchObject([{ action: 'save', element: 'k-3', data: { name: 'Ada' } }]);
  expect(server.sent('draft')).toHaveLength(1);
});

test('closing a task sends the presence and saves the last typed text', async () => {
  const { server, task } = await opened();
  task.save({ name: 'Ada' });
  task.close();
  task.close();
  await server.advance();
  expect(server.sent('draft')).toMatchObject([{ data: { name: 'Ada' } }]);
  expect(server.sent('presence').map(({ state }) => state)).toEqual(['open', 'typing', 'closed']);
});

test('an expired draft removes no typed text, which is saved again while possible', async () => {
  const { server, task } = await opened();
  const note = (data: object | null) => server.connection.push({ type: 'drafted', channel: 'instance/k', element: 'k-3', action: 'save', data });
  const seen: unknown[] = [];
  task.draft.subscribe((draft) => seen.push(draft));
  note({ name: 'Ada' });
  await server.advance();
  // Another device has sent it, or the task has begun anew.
  note(null);
  await server.advance();
  expect(seen).toEqual([{ name: 'Ada' }, undefined]);
  task.save({ name: 'Ada L' });
  await vi.advanceTimersByTimeAsync(1_000);
  await server.advance();
  expect(server.sent('draft')).toMatchObject([{ data: { name: 'Ada L' } }]);
  // The task has ended: typed input cannot be saved, which is no error of the page; the run reports the reason.
  const over = { type: 'error', code: 'action_not_available', reason: 'not_active', message: 'expected an active element', retryable: false };
  for (const type of ['draft', 'run']) server.on(type, ({ id }, connection) => connection.push({ ...over, id }));
  task.save({ name: 'Ada Lovelace' });
  await vi.advanceTimersByTimeAsync(1_000);
  await server.advance();
  const running = task.run({ name: 'Ada Lovelace' }).catch((error: unknown) => error);
  await server.advance();
  expect(await running).toMatchObject({ code: 'action_not_available', reason: 'not_active' });
});
