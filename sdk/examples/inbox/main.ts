/** A clerk's inbox: tasks come and go, one is claimed, its form is shown, and whoever has it decides. */
import { connect, type Instance, type StepwireError, type TaskInfo } from '@stepwire/client';
import '@stepwire/client/forms';
import { tasks } from '@stepwire/client/lists';

const { server = 'ws://127.0.0.1:8000/v1/ws', token } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
// An app asks its identity provider here.
const client = connect({ url: server, getToken: () => token, schemas: true });
const page = document.querySelector('main')!;
const title = document.createElement('h1');
const trouble = document.createElement('p');
const list = document.createElement('ul');
const form = document.createElement('stepwire-form');
trouble.role = 'alert';
form.hidden = true;
title.textContent = 'Tasks';
page.append(title, trouble, list, form);

const inbox = tasks(client);
let open: Instance | undefined;

function show(): void {
  const mine = inbox.tasks.get();
  const lines = mine?.map((task) => {
    const line = document.createElement('li');
    const button = document.createElement('button');
    button.textContent = task.assignee ? 'Open' : 'Claim';
    button.onclick = () => take(task).catch((error: StepwireError) => (trouble.textContent = error.message));
    line.append(`${task.name} (${task.assignee ? 'yours' : 'nobody’s'}) `, button);
    return line;
  });
  const nothing = document.createElement('li');
  nothing.textContent = 'Nothing to do.';
  list.replaceChildren(...(lines?.length === 0 ? [nothing] : (lines ?? [])));
}

async function take({ process, instance: key, element, assignee }: TaskInfo): Promise<void> {
  trouble.textContent = '';
  open?.close();
  open = client.instance(process, key);
  form.instance = open;
  form.action = 'decide';
  form.hidden = false;
  if (!assignee) await open.claim(element);
}

form.addEventListener('stepwire-done', () => (form.hidden = true));
inbox.tasks.subscribe(show);
inbox.error.subscribe((error) => (trouble.textContent = error?.message ?? ''));
show();
