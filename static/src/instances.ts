/**
 * The list of instances (templates/admin_instances.hbs), kept live: on news of a process the page's own address is fetched again
 * and its table taken over. So filters, paging and what may be seen stay the server's affair.
 */
import { connect } from '@stepwire/client';
import { ticketUrl } from './admin/rest.js';
import { showConnection } from './connection-badge.js';
import { byId } from './dom.js';

const PARTS = ['instances', 'total', 'pages'];
/** A busy server has news all the time; one look in this many milliseconds is enough for a person. */
const PAUSE_MS = 500;
/** News of processes are no channel of every server: while the page is looked at, it also asks by itself. */
const LOOK_MS = 2000;

let waiting = false;
let wanted = false;

async function refresh(): Promise<void> {
  const response = await fetch(location.href, { credentials: 'same-origin', headers: { accept: 'text/html' } });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const focused = document.activeElement?.getAttribute('href');
  for (const id of PARTS) {
    const part = page.getElementById(id);
    if (part) byId(id).replaceChildren(...part.childNodes);
  }
  if (focused) document.querySelector<HTMLElement>(`#instances a[href="${CSS.escape(focused)}"]`)?.focus();
}

function news(): void {
  wanted = true;
  if (waiting) return;
  waiting = true;
  wanted = false;
  void refresh().finally(() =>
    setTimeout(() => {
      waiting = false;
      if (wanted) news();
    }, PAUSE_MS),
  );
}

const client = connect({ url: ticketUrl, client: 'admin/1' });
showConnection(byId('connection'), client);
const processes = [...document.querySelectorAll<HTMLOptionElement>('#process option')].map(({ value }) => value).filter(Boolean);
for (const id of processes) client.watch(`process/${id}`, news);
setInterval(() => {
  if (!document.hidden && client.status.get() === 'live') news();
}, LOOK_MS);
