/**
 * Evaluates a field on the server while it is being typed: a message or a condition over sample data, which are shared by all
 * fields of a process and stored in this browser; and the next times of a schedule.
 */
import { preview, type Preview, type Previewed } from '../admin/definitions.js';
import { h } from '../dom.js';
import { isJson } from './checks.js';

const PAUSE_MS = 400;
const KEY = 'stepwire-sample';

let samples: Record<string, string> = {};
try {
  samples = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, string>;
} catch {
  // The stored data cannot be read.
}

/** Adds a try-out below a field. `open` remembers where it is open when the panel is drawn again. */
export function tryOut(
  field: HTMLElement,
  kind: 'message' | 'condition',
  process: string,
  paths: readonly string[],
  open: string,
): void {
  const input = field.querySelector('textarea');
  if (!input) return;
  const id = `${input.id}-sample`;
  const sample = h('textarea', { class: 'input mono', id, rows: 3, spellcheck: 'false' });
  sample.value = samples[process] ?? JSON.stringify(sampleOf(paths), null, 2);
  const result = h('output', { class: 'preview', for: `${input.id} ${id}`, 'data-testid': 'preview' });
  const details = h(
    'details',
    { class: 'try-out', 'data-open': open },
    h('summary', {}, kind === 'message' ? 'Preview' : 'Try it'),
    h('div', { class: 'field' }, h('label', { for: id }, 'Sample data'), sample),
    result,
  );
  const ask = asker(result, words);
  const update = () => {
    if (!details.open) return;
    const wrong = isJson(sample.value);
    if (wrong) return ask.say(`Sample data: ${wrong}`);
    const data: unknown = JSON.parse(sample.value);
    ask.later(kind === 'message' ? { message: input.value, data } : { condition: input.value, data });
  };
  sample.addEventListener('input', () => {
    samples[process] = sample.value;
    try {
      localStorage.setItem(KEY, JSON.stringify(samples));
    } catch {
      // Without room, they are kept as long as the page is open.
    }
    update();
  });
  input.addEventListener('input', update);
  details.addEventListener('toggle', update);
  field.append(details);
}

/** The next times of a schedule, below its field; none if `schedule` gives `undefined`. */
export function nextTimes(field: HTMLElement, schedule: (text: string) => unknown): void {
  const input = field.querySelector('input');
  if (!input) return;
  const result = h('output', { class: 'preview', for: input.id, 'data-testid': 'next-times' });
  const ask = asker(result, ({ times = [] }) => {
    const next = times.map((time) => new Date(time).toLocaleString());
    return next.length > 0 ? `Next: ${next.join(' · ')}` : 'It is never due.';
  });
  const update = () => {
    const asked = input.value.trim() ? schedule(input.value) : undefined;
    if (asked === undefined) ask.say('');
    else ask.later({ schedule: asked });
  };
  input.addEventListener('input', update);
  update();
  field.append(result);
}

function words({ message, condition, error }: Previewed): string {
  if (error !== undefined) return error;
  return condition === undefined ? JSON.stringify(message, null, 2) : String(condition);
}

/** Queries after a pause, and shows only the answer to the last query. */
function asker(result: HTMLElement, show: (previewed: Previewed) => string) {
  let timer = 0;
  let running: AbortController | undefined;
  const say = (sentence: string, wrong = false) => {
    result.textContent = sentence;
    result.classList.toggle('bad', wrong);
  };
  const now = async (part: Preview) => {
    running?.abort();
    const own = (running = new AbortController());
    try {
      const previewed = await preview(part, own.signal);
      if (own === running) say(previewed.error ?? show(previewed), previewed.error !== undefined);
    } catch (error) {
      if (own === running && !own.signal.aborted) say((error as Error).message, true);
    }
  };
  return {
    say: (sentence: string) => {
      clearTimeout(timer);
      say(sentence, sentence !== '');
    },
    later: (part: Preview) => {
      clearTimeout(timer);
      // The panel may have been drawn again meanwhile.
      timer = setTimeout(() => result.isConnected && void now(part), PAUSE_MS);
    },
  };
}

/** Initial sample data: a text at each path. */
function sampleOf(paths: readonly string[]): Record<string, unknown> {
  const sample: Record<string, unknown> = {};
  const inner = paths.filter((path) => !paths.some((other) => other.startsWith(`${path}.`)));
  for (const path of inner) {
    let place = sample;
    const members = path.split('.');
    const last = members.pop()!;
    for (const member of members) place = (place[member] ??= {}) as Record<string, unknown>;
    place[last] = last;
  }
  return sample;
}
