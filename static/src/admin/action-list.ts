import type { AvailableAction, JsonObject } from '@stepwire/client';
import { h } from '../dom.js';

/** Runs an action with data; rejects when the server refuses it. */
export type RunAction = (action: AvailableAction, data: JsonObject) => Promise<void>;

/** The actions that may be run now, each with a form for its data. */
export function actionList(actions: readonly AvailableAction[], run: RunAction): HTMLElement {
  if (actions.length === 0) return h('p', { class: 'empty' }, 'None for you at this step.');
  return h('ul', { class: 'log-list' }, ...actions.map((action) => h('li', { 'data-action': action.name }, form(action, run))));
}

function form(action: AvailableAction, run: RunAction): HTMLElement {
  const { name, node, required, repeatable, back, keys } = action;
  const words = [required, repeatable && 'repeatable', back && 'goes back'].filter(Boolean).join(', ');
  const text = h('textarea', { class: 'input mono', rows: 4, 'aria-label': `Data for ${name}`, spellcheck: false });
  text.value = JSON.stringify(example(keys), null, 2);
  const trouble = h('p', { class: 'error', role: 'alert' });
  const button = h('button', { class: 'button compact' }, `Run ${name}`);
  const fields = h('form', { class: 'stack body' }, h('div', { class: 'field' }, text, trouble), h('div', {}, button));
  fields.addEventListener('submit', (submitted) => {
    submitted.preventDefault();
    trouble.textContent = '';
    const refused = (error: Error) => (trouble.textContent = error.message);
    try {
      run(action, JSON.parse(text.value) as JsonObject).catch(refused);
    } catch (error) {
      refused(error as Error);
    }
  });
  const summary = h('summary', {}, h('strong', {}, name), h('code', {}, node), h('span', { class: 'muted' }, words));
  return h('details', {}, summary, fields);
}

/** An object with every accepted key, to be filled in. */
function example(keys: readonly string[]): JsonObject {
  const data: JsonObject = {};
  for (const key of keys) {
    const names = key.split('.');
    const last = names.pop()!;
    let target = data;
    for (const name of names) target = (target[name] ??= {}) as JsonObject;
    target[last] ??= null;
  }
  return data;
}
