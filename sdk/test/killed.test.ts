/**
 * The server's own program (STEPWIRE_PROGRAM) is killed while actions are in progress, and started again on the same data: each is
 * applied once, and its `run` resolves. STEPWIRE_KILLS sets the number of kills.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { connect, type Instance } from '../src/index.js';
import { browser } from '../src/platform.js';
import { visitor } from '../src/visitor.js';

const program = process.env.STEPWIRE_PROGRAM ?? '';
const kills = Number(process.env.STEPWIRE_KILLS ?? 5);
const details = { client: { firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.org', age: 36, income: 52_000 } };

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}

const offers = (instance: Instance, name: string) =>
  new Promise<void>((resolve) => {
    const look = () => instance.actions.get().some((one) => one.name === name && !one.back) && resolve();
    instance.actions.subscribe(look);
    look();
  });

test.skipIf(program === '')(
  'a run in the middle of which the server is killed is done once, and resolves',
  async () => {
    const [data, port] = [mkdtempSync(join(tmpdir(), 'stepwire-killed-')), await freePort()];
    const options = ['--listen', `127.0.0.1:${port}`, '--data', data, '--rate-per-second', '0', '--anonymous-starts', '0'];
    const launch = () => spawn(program, options, { stdio: 'ignore' });
    let server: ChildProcess = launch();
    const client = connect({
      url: `ws://127.0.0.1:${port}/v1/ws`,
      platform: { ...browser(WebSocket), _random: () => 0 },
      visitor: visitor(),
    });
    try {
      const instance: Instance = await client.start('onboarding');
      await offers(instance, 'save');
      await instance.run('save', details);
      await offers(instance, 'simulate');
      const ends: number[] = [];
      for (let amount = 5_000, killed = 0; killed < kills; amount += 1) {
        const running = instance.run('simulate', { loan: { amount, months: 24 } });
        // Not every kill hits a run: kills between runs count, too.
        if (amount % 3 === 2) {
          killed += 1;
          server.kill('SIGKILL');
          await once(server, 'exit');
          server = launch();
        }
        ends.push((await running).seq!);
        expect(instance.view.get()).toMatchObject({ simulation: { amount } });
      }
      // Each run takes the same number of sequence numbers, so nothing else is between two runs.
      expect(new Set(ends.slice(1).map((end, index) => end - ends[index]!)).size).toBe(1);
    } finally {
      client.close();
      server.kill('SIGKILL');
      rmSync(data, { recursive: true, force: true });
    }
  },
  60_000 + 10_000 * kills,
);
