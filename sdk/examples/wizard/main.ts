/** A wizard in plain TypeScript: a form for each step, and back steps to those that may be changed. */
import { connect, startId } from '@stepwire/client';
import '@stepwire/client/forms';
import { localTokenStore, visitor } from '@stepwire/client/visitor';
import type { Processes } from '../processes.js';

const url = new URLSearchParams(location.search).get('server') ?? 'ws://127.0.0.1:8000/v1/ws';
const client = connect<Processes>({ url, visitor: visitor(localTokenStore('trip')), schemas: true });
const page = document.querySelector('main')!;
const title = document.createElement('h1');
const steps = document.createElement('nav');
const form = document.createElement('stepwire-form');
const summary = document.createElement('p');
const connection = document.createElement('p');
connection.role = 'status';
page.append(connection, title, steps, form, summary);

client.status.subscribe((status) => (connection.textContent = status === 'lost' ? 'No connection. What you send is sent later.' : ''));

// A reload continues the same trip: the same id is the same start.
const request = await client.start('trip', { id: startId('trip') });
const names = { saveTraveller: 'Who travels', saveTrip: 'Where to', confirm: 'Review', decide: 'Decision' };
/** The step to which the visitor has returned. */
let chosen: string | undefined;

function show(): void {
  const actions = request.actions.get();
  const current = actions.find(({ name }) => name === chosen) ?? actions.find(({ back }) => !back);
  const { trip, traveller, sent, decision } = request.view.get();
  form.hidden = !current;
  if (current) form.action = current.name;
  title.textContent = current ? names[current.name] : decision ? 'Decided' : sent ? 'Sent' : '…';
  steps.replaceChildren(
    ...actions.map(({ name, back }) => {
      const button = document.createElement('button');
      button.textContent = back ? `← ${names[name]}` : names[name];
      button.disabled = name === current?.name;
      button.onclick = () => {
        chosen = name;
        show();
      };
      return button;
    }),
  );
  const decided = decision && `${decision.granted ? 'Granted' : 'Not granted'}. ${decision.comment ?? ''}`;
  summary.textContent = decided ?? [traveller?.name, trip && `${trip.nights} nights in ${trip.city}`].filter(Boolean).join(', ');
}

form.instance = request;
form.addEventListener('stepwire-done', () => {
  chosen = undefined;
  show();
});
request.actions.subscribe(show);
request.view.subscribe(show);
show();
