/**
 * A page of Vite's development server, which has another origin than the process server. This affects two things:
 *
 * - The websocket: the browser sends the page's `Origin`, and the server closes with 4403 when it does not know it.
 * - REST: the browser sends a preflight request, and lets the page read the response if the server allows the page's origin (CORS).
 *
 * For both, the server accepts the origins of `--allowed-origins`; without the option those of this machine.
 */
import { connect, startId } from '@stepwire/client';
import '@stepwire/client/forms';
import { memoryTokenStore, visitor } from '@stepwire/client/visitor';
import '../../style.css';

const url = new URLSearchParams(location.search).get('server') ?? 'ws://127.0.0.1:8000/v1/ws';
const http = url.replace(/^ws/, 'http').replace(/\/v1\/ws.*$/, '');

const page = document.querySelector('main')!;
const title = document.createElement('h1');
const websocket = document.createElement('p');
const rest = document.createElement('p');
const form = document.createElement('stepwire-form');
title.textContent = `${location.origin} → ${http}`;
websocket.role = rest.role = 'status';
page.append(title, websocket, rest, form);

/** The token in the reply to the visitor's start, which REST accepts, too. */
let token = '';
const client = connect({ url, visitor: visitor(memoryTokenStore(), (given) => (token = given)), schemas: true });

const tell = () => {
  const error = client.lastError.get();
  const refused = error?.code === 'forbidden' ? `this origin is not allowed: start the server with --allowed-origins ${location.origin}` : error?.message;
  websocket.textContent = `Websocket: ${refused ?? client.status.get()}`;
};
client.status.subscribe(tell);
client.lastError.subscribe(tell);
tell();

const trip = await client.start('trip', { id: startId('vite-trip') });
form.instance = trip;
const show = () => {
  const action = trip.actions.get().find(({ back }) => !back);
  form.hidden = !action;
  if (action) form.action = action.name;
};
trip.actions.subscribe(show);
show();

/** The server's response over REST; a browser that may not read it reports "Failed to fetch". */
async function ask(): Promise<void> {
  try {
    const answer = await fetch(`${http}/v1/instances/${trip.key}`, { headers: { authorization: `Bearer ${token}` } });
    const { status, nodes } = (await answer.json()) as { status: string; nodes: { name: string }[] };
    rest.textContent = `REST: ${status} at “${nodes.map(({ name }) => name).join(', ')}”`;
  } catch (error) {
    rest.textContent = `REST: ${String(error)}`;
  }
}
trip.nodes.subscribe(() => void ask());
await ask();
