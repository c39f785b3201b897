/**
 * The list of instances (templates/admin_instances.hbs), kept live by the channel `process/ID`. What it pushes (status,
 * incidents) changes in place at once; then the page's own address is fetched again, and its table taken over, for what is not
 * pushed. So filters, paging and what may be seen stay the server's affair.
 */
import { connect, type InstanceInfo } from '@stepwire/client';
import { ticketUrl } from './admin/rest.js';
import { showConnection } from './connection-badge.js';
import { batched, byId, redraw } from './dom.js';

const PARTS = ['instances', 'total', 'pages'];
/** A busy server has news all the time; one look in this many milliseconds is enough for a person. */
const PAUSE_MS = 1_000;
/** At which user task an instance waits is not pushed, and only operators may follow the channel. */
const LOOK_MS = 30_000;

let waiting = false;
let wanted = false;

async function refresh(): Promise<void> {
  const response = await fetch(location.href, { credentials: 'same-origin', headers: { accept: 'text/html' } });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  for (const id of PARTS) {
    const part = page.getElementById(id);
    if (part) redraw(byId(id), ...part.childNodes);
  }
  // The answer may be from before the newest push.
  if (client.status.get() === 'live') known.forEach(apply);
}

/** Looks again, soon; while nobody looks at the page, it waits. */
function news(): void {
  wanted = true;
  if (waiting || document.hidden) return;
  waiting = true;
  wanted = false;
  const pause = () =>
    setTimeout(() => {
      waiting = false;
      if (wanted) news();
    }, PAUSE_MS);
  // A server that is not there has news when it is back.
  refresh().then(pause, pause);
}

function apply({ instance, status, incidents }: InstanceInfo): void {
  const row = document.querySelector(`#instances tr[data-key="${CSS.escape(instance)}"]`);
  const badge = row?.querySelector<HTMLElement>('[data-part="status"]');
  if (!row || !badge) return;
  badge.dataset.status = badge.textContent = status;
  row.querySelector<HTMLElement>('[data-part="incident"]')!.hidden = incidents === 0;
}

const client = connect({ url: ticketUrl, client: 'admin/1' });
showConnection(byId('connection'), client);
const list = client.process(new URLSearchParams(location.search).get('process') || '*');
let known = new Set<InstanceInfo>();
const changed = batched(() => {
  const instances = list.instances.get() ?? [];
  instances.filter((instance) => !known.has(instance)).forEach(apply);
  known = new Set(instances);
  news();
});
list.instances.subscribe(changed);
list.error.subscribe((error) => {
  if (error?.code !== 'forbidden') return;
  byId('rarely').hidden = false;
  client.tasks().tasks.subscribe(news);
});
setInterval(() => client.status.get() === 'live' && news(), LOOK_MS);
document.addEventListener('visibilitychange', () => wanted && news());
