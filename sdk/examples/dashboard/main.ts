/**
 * A live dashboard for operators: the number of running and of blocked instances, and the newest instances. There is no polling: the
 * channel `changes` says when to read the numbers again, and the list of instances is pushed.
 */
import { connect, type InstanceInfo } from '@stepwire/client';
import { changes, instances } from '@stepwire/client/lists';

const { server = 'ws://127.0.0.1:8000/v1/ws', token } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const http = server.replace(/^ws/, 'http').replace(/\/v1\/ws$/, '');
// An app requests a token from its identity provider here. The user needs the role `operator`.
const client = connect({ url: server, getToken: () => token });
const NEWEST = 10;

/** What `GET /v1/overview` answers. */
interface Overview {
  running: number;
  stuck: number;
  incidents: number;
  startedLastHour: number;
  processes: { process: string; name: string; running: number; stuck: number }[];
}

const page = document.querySelector('main')!;
const make = <K extends keyof HTMLElementTagNameMap>(tag: K, text = '') => Object.assign(document.createElement(tag), { textContent: text });
const trouble = Object.assign(make('p'), { role: 'alert' });
const connection = Object.assign(make('p'), { role: 'status' });
const figures = make('dl');
figures.className = 'figures';
const processes = make('tbody');
const newest = make('tbody');
page.append(make('h1', 'Dashboard'), connection, trouble, figures, table('By process', ['Process', 'Running', 'Stands still'], processes));
page.append(table('Newest instances', ['Process', 'Status', 'Started by', 'Started'], newest));

function table(title: string, heads: string[], body: HTMLElement): HTMLElement {
  const made = make('table');
  const row = make('tr');
  row.append(...heads.map((head) => Object.assign(make('th', head), { scope: 'col' })));
  const head = make('thead');
  head.append(row);
  made.append(make('caption', title), head, body);
  return made;
}

const cells = (...texts: (string | number)[]) => {
  const row = make('tr');
  row.append(...texts.map((text) => make('td', String(text))));
  return row;
};

async function showNumbers(): Promise<void> {
  const answer = await fetch(`${http}/v1/overview`, { headers: { authorization: `Bearer ${token}` } });
  const said = (await answer.json()) as Overview & { detail?: string };
  trouble.textContent = answer.ok ? '' : (said.detail ?? `The server answered ${answer.status}.`);
  if (!answer.ok) return;
  const numbers: [string, number][] = [
    ['Running', said.running],
    ['Stand still', said.stuck],
    ['Incidents', said.incidents],
    ['Started within an hour', said.startedLastHour],
  ];
  figures.replaceChildren(...numbers.flatMap(([name, number]) => [make('dt', name), make('dd', String(number))]));
  processes.replaceChildren(...said.processes.map(({ process, name, running, stuck }) => cells(name || process, running, stuck)));
}

/** Finished and ended ones stay in the list, so each status is shown in words. */
const line = ({ process, status, startedBy, createdAt, incidents }: InstanceInfo) =>
  cells(process, incidents > 0 ? `${status}, ⚠ stands still` : status, startedBy.replace(/^anonymous-.*/, 'a visitor'), new Date(createdAt).toLocaleTimeString());

// Read at once, after each reconnect, and at most twice a second.
changes(client, (topics) => {
  if (!topics || topics.some((topic) => topic === 'instances' || topic === 'incidents')) void showNumbers().catch((error) => (trouble.textContent = String(error)));
});
const list = instances(client, '*');
list.instances.subscribe((all = []) => newest.replaceChildren(...all.slice(0, NEWEST).map(line)));
list.error.subscribe((error) => (trouble.textContent = error?.message ?? ''));
client.status.subscribe((status) => (connection.textContent = status === 'lost' ? 'No connection: these are the last numbers.' : ''));
