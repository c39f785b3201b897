/**
 * A step that accepts a file: `<stepwire-form>` has an input for it beside those of the data, shows there that a file is too large or
 * refused, and shows the progress. The module that sends files is loaded with the first of them. The process is `attachment.json`.
 */
import { connect, startId } from '@stepwire/client';
import '@stepwire/client/forms';
import { localTokenStore, visitor } from '@stepwire/client/visitor';
import '../../style.css';

const url = new URLSearchParams(location.search).get('server') ?? 'ws://127.0.0.1:8000/v1/ws';
const client = connect({ url, visitor: visitor(localTokenStore('attachment')), schemas: true });

const page = document.querySelector('main')!;
const title = document.createElement('h1');
const form = document.createElement('stepwire-form');
const summary = document.createElement('p');
page.append(title, summary, form);

const instance = await client.start('attachment', { id: startId('attachment') });
form.instance = instance;

function show(): void {
  const [action] = instance.actions.get();
  const { paper, note } = instance.view.get() as { paper?: { name: string; size: number }; note?: string };
  title.textContent = instance.nodes.get()[0]?.name ?? 'Handed in';
  summary.textContent = paper ? `${paper.name}, ${paper.size.toLocaleString('en')} bytes. ${note ?? ''}` : '';
  form.hidden = !action;
  if (action) form.action = action.name;
}
for (const part of [instance.actions, instance.view, instance.nodes]) part.subscribe(show);
show();
