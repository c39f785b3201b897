import { type Client, connect, startId, type Store, StepwireError } from '@stepwire/client';
import { FakeServer } from '@stepwire/client/testing';
import { localTokenStore, visitor } from '@stepwire/client/visitor';
import { WebSocket } from 'ws';
import type { Processes } from './types/index.js';
import type { View } from './types/onboarding.js';

const client: Client<Processes> = connect<Processes>({
  url: 'ws://127.0.0.1:8000/v1/ws',
  webSocket: WebSocket,
  visitor: visitor(localTokenStore('app')),
  platform: new FakeServer().platform,
  timeout: undefined,
});

export async function open(signal: AbortSignal): Promise<Store<View>> {
  const instance = await client.start('onboarding', { id: startId('account'), signal, timeout: 1_000 });
  await instance.run('save', { client: { firstName: 'Ada', lastName: 'L', email: 'a@b.example', age: 36, income: 1 } }, { signal });
  // @ts-expect-error: a first name is needed
  await instance.run('save', { client: { lastName: 'L', email: 'a@b.example', age: 36, income: 1 } });
  // @ts-expect-error: there is no such action
  await instance.run('nothing');
  const order = await client.start('cardOrder', { data: { theme: 'stripes' } });
  await order.run('choose', { card: { design: 'ocean' } });
  // @ts-expect-error: there is no such process
  await client.start('nowhere');
  return instance.view;
}

export const wasTooLate = (error: unknown): boolean => error instanceof StepwireError && error.code === 'timeout';
export const wrongFields = (error: StepwireError): string[] => Object.values(error.fields).map(({ code }) => code);
