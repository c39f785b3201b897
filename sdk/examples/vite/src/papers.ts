/**
 * A step that takes a file: `<stepwire-form>` has an input for it beside those of the data, says what is too large or refused where it
 * was chosen, and shows how far it is. What sends files is loaded with the first of them. The process is `papers.json`.
 */
import { connect, startId } from '@stepwire/client';
import '@stepwire/client/forms';
import { localTokenStore, visitor } from '@stepwire/client/visitor';
import '../../style.css';

const url = new URLSearchParams(location.search).get('server') ?? 'ws://127.0.0.1:8000/v1/ws';
const client = connect({ url, visitor: visitor(localTokenStore('papers')), schemas: true });

const page = document.querySelector('main')!;
const title = document.createElement('h1');
const form = document.createElement('stepwire-form');
const summary = document.createElement('p');
page.append(title, summary, form);

const papers = await client.start('papers', { id: startId('papers') });
form.instance = papers;

function show(): void {
  const [action] = papers.actions.get();
  const { paper, note } = papers.view.get() as { paper?: { name: string; size: number }; note?: string };
  title.textContent = papers.nodes.get()[0]?.name ?? 'Handed in';
  summary.textContent = paper ? `${paper.name}, ${paper.size.toLocaleString('en')} bytes. ${note ?? ''}` : '';
  form.hidden = !action;
  if (action) form.action = action.name;
}
for (const part of [papers.actions, papers.view, papers.nodes]) part.subscribe(show);
show();
