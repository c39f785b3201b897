/** The open connections: websockets and streams, newest first, with a mark on slow ones. */
import { h } from '../dom.js';
import { time } from './elements-table.js';
import type { OperationsPage } from './operations.js';
import { post } from './rest.js';
import { act, list } from './rest-lists.js';

interface Connection {
  connection: string;
  protocol: 'websocket' | 'events' | 'jobs' | 'trial';
  user: string | null;
  tenant: string | null;
  anonymous: boolean;
  address: string | null;
  client: string | null;
  openedAt: string;
  subscriptions: number;
  queued: number;
  sent: number;
  blockedSince: string | null;
}

const PROTOCOLS: Record<Connection['protocol'], string> = {
  websocket: 'websocket',
  events: 'server-sent events',
  jobs: 'jobs’ events',
  trial: 'websocket of a trial',
};

const who = ({ user, tenant, anonymous }: Connection): (Node | string)[] => {
  if (user === null) return [h('span', { class: 'muted' }, 'has not said hello')];
  const name = anonymous ? h('span', {}, 'anonymous ', h('code', { class: 'muted small' }, user)) : h('strong', {}, user);
  return [name, h('span', { class: 'muted small' }, ` ${tenant ?? ''}`)];
};

const keepsUp = ({ blockedSince, queued }: Connection): (Node | string)[] => {
  const waiting = queued > 0 ? [`${queued.toLocaleString()} ${queued === 1 ? 'frame waits' : 'frames wait'}`] : [];
  if (blockedSince === null) return waiting.length > 0 ? waiting : ['keeps up'];
  return [h('span', { class: 'badge', 'data-status': 'incident' }, 'reads nothing'), ' since ', time(blockedSince), ...waiting.map((text) => `, ${text}`)];
};

export const connections = (): OperationsPage =>
  list<Connection>({
    path: '/v1/connections',
    name: 'connections',
    title: 'Connections',
    empty: 'Nobody is connected.',
    topics: ['connections'],
    key: ({ connection }) => connection,
    columns: (look) => [
      { label: 'User', draw: who },
      { label: 'From', draw: ({ address, client }) => [h('code', {}, address ?? '—'), h('span', { class: 'muted small' }, ` ${client ?? ''}`)] },
      { label: 'Protocol', draw: ({ protocol }) => [PROTOCOLS[protocol]] },
      { label: 'Since', draw: ({ openedAt }) => [time(openedAt)] },
      { label: 'Follows', draw: ({ subscriptions }) => [subscriptions.toLocaleString()] },
      { label: 'Sent', draw: ({ sent }) => [sent.toLocaleString()] },
      { label: 'Lag', draw: keepsUp },
      {
        label: 'Commands',
        draw: ({ connection, user }) => [
          act(look, 'Close', connection, user ?? connection, () => post(`/v1/connections/${connection}`, undefined, 'DELETE'), 'danger'),
        ],
      },
    ],
  });
