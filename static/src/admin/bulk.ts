/** Sends a command to every instance that matches the filter in the address, and shows the progress. */
import { h, redraw } from '../dom.js';
import { askForMigration, migrate } from './migrate-dialog.js';
import { getJson, post } from './rest.js';

/** Instances covered by one run; the rest needs a second run. */
const MOST = 10_000;
/** Commands in progress at the same time. */
const AT_ONCE = 4;
/** Until what was retried has failed again, if it does so at once. */
const AGAIN_MS = 2_000;

interface Listed {
  instances: { instance: string; status: string; incidents: number }[];
  next: string | null;
}

type Wanted = (one: Listed['instances'][number]) => boolean;

const isLive: Wanted = ({ status }) => status === 'started' || status === 'onHold';

/** The page's filter as parameters of the HTTP interface. */
function filter(): URLSearchParams {
  const page = new URLSearchParams(location.search);
  const asked = new URLSearchParams();
  for (const name of ['process', 'status', 'node']) if (page.get(name)) asked.set(name, page.get(name)!);
  if (page.get('q')) asked.set('businessKey', page.get('q')!);
  return asked;
}

async function all(wanted: Wanted, say: (found: number) => void): Promise<string[]> {
  const keys: string[] = [];
  const asked = filter();
  for (let cursor: string | null = ''; cursor !== null && keys.length < MOST;) {
    if (cursor) asked.set('cursor', cursor);
    const part: Listed | undefined = await getJson<Listed>(`/v1/instances?${asked}`);
    if (!part) break;
    keys.push(...part.instances.filter(wanted).map(({ instance }) => instance));
    say(keys.length);
    cursor = part.next;
  }
  return keys.slice(0, MOST);
}

/** Retries every incident of an instance. */
async function retry(key: string): Promise<void> {
  const found = await getJson<{ incidents: { element: string }[] }>(`/v1/incidents?instance=${key}`);
  for (const { element } of found?.incidents ?? []) await post(`/v1/instances/${key}/retry`, { element });
}

const COMMANDS: Record<string, { label: string; wanted: Wanted; work: (key: string) => Promise<unknown>; kind?: string }> = {
  retry: { label: 'Retry incidents…', wanted: (one) => isLive(one) && one.incidents > 0, work: retry },
  terminate: {
    label: 'Terminate…',
    wanted: isLive,
    work: (key) => post(`/v1/instances/${key}/terminate`, {}),
    kind: 'danger',
  },
};

/** Which of these instances have incidents again. */
async function failedAgain(keys: readonly string[]): Promise<number> {
  const stuck = new Set(await all(COMMANDS.retry!.wanted, () => undefined));
  return keys.filter((key) => stuck.has(key)).length;
}

/** Puts the buttons and the progress into `root`. */
export function offerBulk(root: HTMLElement): void {
  // Repairs need role operator; owners may end their own instances.
  const isOperator = root.dataset.operator === 'true';
  const button = (name: string, label: string, kind: string | undefined, work: () => void) =>
    h('button', { class: ['button compact', kind].filter(Boolean).join(' '), type: 'button', 'data-testid': `bulk-${name}`, onclick: work }, label);
  const offered = Object.entries(COMMANDS).filter(([name]) => name !== 'retry' || isOperator);
  const buttons = offered.map(([name, { label, kind }]) => button(name, label, kind, () => void run(name)));
  if (isOperator) buttons.splice(1, 0, button('migrate', 'Migrate…', undefined, () => void toVersion()));
  const told = h('div', { id: 'bulk-told', role: 'status', 'data-testid': 'bulk-told' });
  root.append(h('span', { class: 'muted small' }, 'All matching:'), ...buttons, told);

  /** Runs a command for all matching instances to which it applies, while all other buttons are disabled. */
  const withAll = async (verb: string, wanted: Wanted, work: (keys: string[]) => Promise<void>) => {
    buttons.forEach((button) => (button.disabled = true));
    try {
      const keys = await all(wanted, (found) => (told.textContent = `Looking: ${found} found…`));
      told.textContent = '';
      if (keys.length === 0) told.textContent = `${verb}: none of the matching instances can be changed this way.`;
      else await work(keys);
    } catch (error) {
      told.textContent = `${verb}: ${(error as Error).message}`;
    } finally {
      buttons.forEach((button) => (button.disabled = false));
    }
  };
  const run = (name: string) => {
    const { label, wanted, work } = COMMANDS[name]!;
    const verb = label.replace('…', '');
    return withAll(verb, wanted, async (keys) => {
      if (confirm(`${verb}: ${keys.length} ${keys.length === 1 ? 'instance' : 'instances'}. That cannot be undone.`)) await each(told, keys, work, verb, name === 'retry' ? () => failedAgain(keys) : undefined);
    });
  };
  const toVersion = async () => {
    const process = filter().get('process');
    if (process === null) return void (told.textContent = 'Migrate: choose a process in the filter first, because versions belong to a process.');
    await withAll('Migrate', ({ status }) => status === 'started', async (keys) => {
      const migration = await askForMigration(process, keys);
      if (migration) await each(told, migration.keys, (key) => migrate(key, migration), 'Migrate');
    });
  };
}

/**
 * Runs the work for each, a few at a time, with its progress in `told` and a button that stops it. `failedAgain` counts after a moment
 * what was done in vain.
 */
export async function each<T>(
  told: HTMLElement,
  all: readonly T[],
  work: (one: T) => Promise<unknown>,
  verb: string,
  failedAgain?: () => Promise<number>,
): Promise<void> {
  const bar = h('progress', { max: all.length, value: 0, 'aria-label': verb });
  const words = h('span', {});
  let stopped = false;
  const stop = h('button', { class: 'button compact', type: 'button', onclick: () => (stopped = true) }, 'Stop');
  redraw(told, bar, words, stop);
  const refused: string[] = [];
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (!stopped && next < all.length) {
      await work(all[next++]!).catch((error: Error) => refused.push(error.message));
      bar.value = ++done;
      words.textContent = ` ${done} of ${all.length}`;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const failed = refused.length > 0 ? `; ${refused.length} refused, the first: ${refused[0]}` : '';
  const sentence = `${verb}: ${done - refused.length} of ${all.length} done${failed}.`;
  redraw(told, h('span', {}, sentence));
  if (!failedAgain || done === refused.length) return;
  await new Promise((after) => setTimeout(after, AGAIN_MS));
  const again = await failedAgain();
  redraw(told, h('span', {}, `${sentence} ${again === 0 ? 'None has failed again so far.' : `${again} failed again.`}`));
}
