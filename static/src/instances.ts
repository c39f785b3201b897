/**
 * The list of instances (templates/admin_instances.hbs), kept live by the channel `process/ID`. What it pushes (status,
 * incidents) changes in place at once; what is not pushed is fetched again (admin/refresh.ts).
 */
import { connect, type InstanceInfo } from '@stepwire/client';
import { instances, tasks } from '@stepwire/client/lists';
import { Refresher } from './admin/refresh.js';
import { ticketUrl } from './admin/rest.js';
import { showConnection } from './connection-badge.js';
import { batched, byId } from './dom.js';

/** At which user task an instance waits is not pushed, and only operators may follow the channel. */
const LOOK_MS = 30_000;

function apply({ instance, status, incidents }: InstanceInfo): void {
  const row = document.querySelector(`#instances tr[data-key="${CSS.escape(instance)}"]`);
  const badge = row?.querySelector<HTMLElement>('[data-part="status"]');
  if (!row || !badge) return;
  badge.dataset.status = badge.textContent = status;
  row.querySelector<HTMLElement>('[data-part="incident"]')!.hidden = incidents === 0;
}

const client = connect({ url: ticketUrl, client: 'admin/1' });
showConnection(byId('connection'), client);
const list = instances(client, new URLSearchParams(location.search).get('process') || '*');
let known = new Set<InstanceInfo>();
// The answer may be from before the newest push.
const page = new Refresher(['instances', 'total', 'pages'], () => client.status.get() === 'live' && known.forEach(apply));
const changed = batched(() => {
  const instances = list.instances.get() ?? [];
  instances.filter((instance) => !known.has(instance)).forEach(apply);
  known = new Set(instances);
  page.news();
});
list.instances.subscribe(changed);
list.error.subscribe((error) => {
  if (error?.code !== 'forbidden') return;
  byId('rarely').hidden = false;
  tasks(client).tasks.subscribe(() => page.news());
});
setInterval(() => client.status.get() === 'live' && page.news(), LOOK_MS);
