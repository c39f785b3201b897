/**
 * The list of processes (templates/admin_processes.hbs), kept live by the channel `changes`: files are imported, versions
 * published, deprecated, deleted and exported through the HTTP interface; then the list is loaded again.
 */
import { connect } from '@stepwire/client';
import { change, deploy, download, formatOf, source, switchProcess, textOf } from './admin/definitions.js';
import { importTrouble, problemList } from './admin/problem-list.js';
import { pageParts } from './admin/refresh.js';
import { ticketUrl } from './admin/rest.js';
import { showSession } from './admin/session.js';
import { byId, h } from './dom.js';

const list = byId('processes');
let open = new Set<string>();
const page = pageParts(['processes'], () => {
  const details = list.querySelectorAll<HTMLDetailsElement>('details[data-details]');
  details.forEach((one) => (one.open = open.has(one.dataset.details ?? '')));
});

function say(sentence: string, ...more: Node[]): void {
  byId('trouble').replaceChildren();
  byId('done').replaceChildren(h('p', { class: 'note good' }, h('span', {}, sentence, ...more)));
}

function complain(error: unknown, about = ''): void {
  const { reason, list } = importTrouble(error as Error);
  byId('done').replaceChildren();
  const sentence = h('p', {}, about ? `${about} was not imported: ${reason}` : reason);
  byId('trouble').replaceChildren(h('div', { class: 'note bad stack' }, h('div', {}, sentence, list)));
  byId('trouble').scrollIntoView({ block: 'nearest' });
}

async function importFile(file: File): Promise<void> {
  const most = Number(byId('drop').dataset.maxBytes);
  if (file.size > most) throw new Error(`expected a file of at most ${most} bytes, but it has ${file.size}; split it`);
  const text = await textOf(file);
  const publish = byId<HTMLInputElement>('publish').checked;
  const { definitions, ...first } = await deploy(text, formatOf(text), { publish });
  const all = definitions ?? [first];
  const words = all.map(({ id, version, state }) => `${id} version ${version} (${state})`).join(', ');
  const warnings = all.flatMap(({ problems }) => problems);
  say(`${file.name} is imported: ${words}.`, ...(warnings.length > 0 ? [problemList(warnings)] : []));
  await page.look();
}

async function importAll(files: Iterable<File>): Promise<void> {
  for (const file of files) {
    try {
      await importFile(file);
    } catch (error) {
      complain(error, file.name);
      return;
    }
  }
}

function acceptFiles(): void {
  const drop = document.getElementById('drop');
  if (!drop) return;
  const input = byId<HTMLInputElement>('file');
  input.addEventListener('change', () => {
    void importAll([...(input.files ?? [])]);
    // The same file may be chosen again when it was corrected.
    input.value = '';
  });
  const over = (is: boolean) => drop.classList.toggle('over', is);
  // A file dropped beside the place would take the page away.
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => event.preventDefault());
  drop.addEventListener('dragover', () => over(true));
  drop.addEventListener('dragleave', () => over(false));
  drop.addEventListener('drop', (event) => {
    over(false);
    void importAll([...(event.dataTransfer?.files ?? [])]);
  });
}

async function command(button: HTMLButtonElement): Promise<void> {
  const { command, id = '', version = '', format } = button.dataset;
  const name = `${id} version ${version}`;
  switch (command) {
    case 'export': {
      const kind = format === 'JSON' ? 'json' : 'bpmn';
      return download(`${id}-v${version}`, await source(id, version, kind), kind);
    }
    case 'enable':
    case 'disable':
      await switchProcess(id, command);
      say(command === 'enable' ? `${id} starts new instances again.` : `${id} starts no new instances; running instances continue.`);
      break;
    case 'delete':
      if (!confirm(`Delete ${name}? That cannot be undone.`)) return;
      await change(id, version, command);
      say(`${name} is deleted.`);
      break;
    case 'publish':
      await change(id, version, command);
      say(`New instances run ${name} from now on.`);
      break;
    case 'deprecate':
      if (!confirm(`Deprecate ${name}? No new instances start then; running instances continue.`)) return;
      await change(id, version, command);
      say(`${name} is deprecated: no new instances start, running instances continue.`);
      break;
  }
  await page.look();
}

list.addEventListener('click', (event) => {
  const button = (event.target as Element).closest<HTMLButtonElement>('button[data-command]');
  if (!button || button.disabled) return;
  button.disabled = true;
  command(button)
    .catch((error) => complain(error))
    .finally(() => (button.disabled = false));
});
list.addEventListener(
  'toggle',
  (event) => {
    const { open: isOpen, dataset } = event.target as HTMLDetailsElement;
    if (dataset.details !== undefined) isOpen ? open.add(dataset.details) : open.delete(dataset.details);
  },
  true,
);
acceptFiles();

const client = connect({ url: ticketUrl, client: 'admin/1' });
showSession(client);
page.follow(client, ['definitions', 'instances']);
