import type { ActiveNode, JsonObject } from '@stepwire/client';
import { h } from '../dom.js';

/** The values to merge; `scope` is the element whose variables are changed instead of the instance's data. */
export interface Patch extends JsonObject {
  data: JsonObject;
  scope?: string;
}

/**
 * Asks for values to merge into an instance's data, or into the variables of one of its active elements. Resolves to `undefined` if
 * cancelled.
 */
export function askForPatch(nodes: readonly ActiveNode[]): Promise<Patch | undefined> {
  let patch: Patch | undefined;
  const option = ({ element, name, loopCounter }: ActiveNode) =>
    h('option', { value: element }, `Variables of ${name}${loopCounter === undefined ? '' : ` (${loopCounter})`}`);
  const scopes = [h('option', { value: '' }, 'Data of the instance'), ...nodes.map(option)];
  const scope = h('select', { class: 'input', id: 'patch-scope', 'data-testid': 'patch-scope' }, ...scopes);
  const input = h('textarea', { class: 'input', id: 'patch', rows: 8, spellcheck: false, required: true }, '{\n  \n}');
  const trouble = h('p', { role: 'alert', class: 'bad' });
  const cancel = h('button', { class: 'button', type: 'button', onclick: () => dialog.close() }, 'Cancel');
  const submit = (event: Event) => {
    const read = readObject(input.value);
    if (typeof read === 'string') {
      event.preventDefault();
      trouble.textContent = read;
      return input.focus();
    }
    patch = scope.value ? { data: read, scope: scope.value } : { data: read };
  };
  const form = h(
    'form',
    { class: 'stack', method: 'dialog', onsubmit: submit },
    h('h2', { id: 'patch-title' }, 'Correct the data'),
    h('div', { class: 'field' }, h('label', { for: 'patch-scope' }, 'What is corrected'), scope),
    h(
      'div',
      { class: 'field' },
      h('label', { for: 'patch' }, 'JSON object; objects are merged, every other value replaces the present one'),
      input,
    ),
    trouble,
    h('div', { class: 'row' }, h('button', { class: 'button primary', value: 'patch' }, 'Merge'), cancel),
  );
  const dialog = h('dialog', { class: 'dialog', 'aria-labelledby': 'patch-title', 'data-testid': 'patch-dialog' }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'patch' ? patch : undefined);
    }),
  );
}

/** The object in a text, or a sentence why it is not one. */
function readObject(text: string): JsonObject | string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
    return 'expected a JSON object such as {"amount": 250}, but it is another value';
  } catch (error) {
    return `expected a JSON object such as {"amount": 250}, but: ${(error as Error).message}`;
  }
}
