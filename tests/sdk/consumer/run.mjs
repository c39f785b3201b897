// An app on Node that has the client from its package: without a websocket, without a server, and with both.
import assert from 'node:assert/strict';
import { connect } from '@stepwire/client';
import { inherit } from '@stepwire/client/inherit';
import { tasks } from '@stepwire/client/lists';
import { openTask } from '@stepwire/client/task';
import { FakeServer } from '@stepwire/client/testing';
import { visitor } from '@stepwire/client/visitor';
import { WebSocket } from 'ws';

const { STEPWIRE_URL: url } = process.env;
const refusal = (work) => work.then(() => assert.fail('expected a refusal'), (error) => error);
for (const uncaught of ['unhandledRejection', 'uncaughtException']) process.on(uncaught, (error) => {
  console.error(uncaught, error);
  process.exit(1);
});

const global = globalThis.WebSocket;
delete globalThis.WebSocket;
const mute = connect({ url, visitor: visitor() });
assert.equal((await refusal(mute.start('onboarding'))).code, 'unsupported');
assert.equal(mute.lastError.get().code, 'unsupported');
if (global) globalThis.WebSocket = global;

const told = [];
const away = connect({ url: 'ws://127.0.0.1:1/v1/ws', webSocket: WebSocket, visitor: visitor() });
away.lastError.subscribe((error) => told.push(error));
const late = await refusal(away.start('onboarding', { timeout: 100 }));
assert.deepEqual([late.code, late.name, late.cause], ['timeout', 'TimeoutError', told.at(-1)]);
assert.match(late.message, /ECONNREFUSED/);
assert.equal((await refusal(away.start('onboarding', { signal: AbortSignal.timeout(20) }))).code, 'aborted');
away.close();

/** Resolves when a store holds something. */
const filled = (store) => new Promise((done) => (store.get() ? done() : store.subscribe((value) => value && done())));
// Entries share the core's own members, whose names are shortened.
const client = connect({ url, webSocket: WebSocket, visitor: visitor(), onAction: inherit({ theme: 'stripes' }) });
const instance = await client.start('onboarding', { timeout: 20_000 });
const mine = tasks(client);
await Promise.race([filled(mine.tasks), filled(mine.error)]);
mine.close();
const [{ element }] = instance.actions.get();
const task = openTask(client, instance, { element, action: 'save' });
task.save({ client: { firstName: 'Ad' } });
await filled(task.draft);
task.close();
const invalid = await refusal(instance.run('save', { client: {} }));
assert.equal(invalid.code, 'invalid_data');
await instance.run('save', { client: { firstName: 'Ada', lastName: 'L', email: 'a@b.example', age: 36, income: 52_000 } });
assert.equal(instance.status.get(), 'started');
client.close();
assert.equal((await refusal(instance.run('save'))).code, 'closed');

assert.ok(new FakeServer().platform);
console.log('PASSED');
