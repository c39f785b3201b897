/**
 * A clerk's inbox: a live list of tasks. A clerk claims one, fills in its form and decides. Typed input is kept on every device of the
 * clerk, and the page shows who else has the task open.
 */
import { connect, type Instance, type StepwireError, type TaskInfo } from '@stepwire/client';
import '@stepwire/client/forms';
import { tasks } from '@stepwire/client/lists';
import { openTask } from '@stepwire/client/task';

const { server = 'ws://127.0.0.1:8000/v1/ws', token } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
// An app requests a token from its identity provider here.
const client = connect({ url: server, getToken: () => token, schemas: true });
const page = document.querySelector('main')!;
const title = document.createElement('h1');
const trouble = document.createElement('p');
const list = document.createElement('ul');
const form = document.createElement('stepwire-form');
trouble.role = 'alert';
form.hidden = true;
title.textContent = 'Tasks';
const others = document.createElement('p');
others.role = 'status';
page.append(title, trouble, list, others, form);

const inbox = tasks(client);
let open: Instance | undefined;
let close = () => {};

/** The inputs of the form, by their paths. */
const inputs = () => [...form.shadowRoot!.querySelectorAll<HTMLInputElement>('[name]')];

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
  // A button that is replaced while it is pressed is not clicked.
  if (list.matches(':active')) return addEventListener('pointerup', () => setTimeout(show), { once: true });
  list.replaceChildren(...(lines?.length === 0 ? [nothing] : (lines ?? [])));
}

async function take({ process, instance: key, element, assignee }: TaskInfo): Promise<void> {
  trouble.textContent = '';
  close();
  open = client.instance(process, key);
  form.instance = open;
  form.action = 'decide';
  form.hidden = false;
  close = keepDraft(open, element);
  if (!assignee) await open.command('claim', { element });
}

/** Saves typed input as a draft, and continues the draft of another device. Returns the function that ends it. */
function keepDraft(instance: Instance, element: string): () => void {
  const task = openTask(client, instance, { element, action: 'decide' });
  // A draft is not checked, so it may have the raw values of the inputs.
  const typed = () => task.save(Object.fromEntries(inputs().map(({ name, value }) => [name, value])));
  const fill = (draft: Record<string, unknown> = {}) => {
    for (const input of inputs()) {
      if (typeof draft[input.name] !== 'string' || input.value === draft[input.name] || input.matches(':focus')) continue;
      input.value = draft[input.name] as string;
      input.dispatchEvent(new Event('input'));
    }
  };
  const tell = (users: readonly { user: string; typing: boolean }[]) =>
    (others.textContent = users.map(({ user, typing }) => `${user} ${typing ? 'is typing' : 'has this open'}`).join(', '));
  const ends = [task.draft.subscribe(fill), task.others.subscribe(tell)];
  fill(task.draft.get());
  tell(task.others.get());
  form.addEventListener('input', typed);
  return () => {
    form.removeEventListener('input', typed);
    ends.forEach((end) => end());
    task.close();
    instance.close();
    close = () => {};
  };
}

form.addEventListener('stepwire-done', () => {
  form.hidden = true;
  close();
});
inbox.tasks.subscribe(show);
inbox.error.subscribe((error) => (trouble.textContent = error?.message ?? ''));
show();
