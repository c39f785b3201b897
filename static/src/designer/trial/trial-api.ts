/** The requests of a trial: a draft in its own runtime on the server. See docs/rest.md. */
import type { ActiveNode, JsonObject } from '@stepwire/client';
import { ask, type Problem } from '../../admin/definitions.js';

/** An instance of a trial. */
export interface TriedInstance {
  instance: string;
  process: string;
  status: string;
  startedBy: string;
  parent: string | null;
}
/** The current state of a trial. */
export interface Trial {
  trial: string;
  /** Its process time, RFC 3339. */
  now: string;
  nextDue: string | null;
  definitions: { id: string; name: string; version: number | null }[];
  instances: TriedInstance[];
  problems: Problem[];
}
/** An instance of a trial, as operators see it. */
export interface Observed {
  status: string;
  nodes: ActiveNode[];
  data: JsonObject;
}

const JSON_BODY = { 'content-type': 'application/json' };
const address = (trial: string, part = '') => `/v1/trials/${trial}${part}`;

async function send<T>(path: string, body: unknown): Promise<T> {
  return (await (await ask(path, { method: 'POST', headers: JSON_BODY, body: JSON.stringify(body) })).json()) as T;
}

export async function begin(xml: string): Promise<Trial> {
  const response = await ask('/v1/trials', { method: 'POST', headers: { 'content-type': 'application/xml' }, body: xml });
  return (await response.json()) as Trial;
}

/** Its state, once nothing is in progress there. */
export async function look(trial: string): Promise<Trial> {
  return (await (await ask(address(trial))).json()) as Trial;
}

/** Moves the clock: to the next timer, or by an ISO 8601 duration. */
export function moveClock(trial: string, to: { to: 'next' } | { advance: string }): Promise<Trial> {
  return send<Trial>(address(trial, '/clock'), to);
}

export async function tokenOf(trial: string, user: string, roles: readonly string[]): Promise<string> {
  return (await send<{ token: string }>(address(trial, '/users'), { user, roles })).token;
}

export async function observe(trial: string, instance: string): Promise<Observed> {
  return (await (await ask(address(trial, `/instances/${instance}`))).json()) as Observed;
}

/** Ends it, even while the page is being left. */
export function end(trial: string): void {
  void fetch(address(trial), { method: 'DELETE', credentials: 'same-origin', keepalive: true });
}

export function socketOf(trial: string): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${address(trial, '/ws')}`;
}
