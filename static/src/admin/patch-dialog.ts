import type { JsonObject } from '@stepwire/client';
import { h } from '../dom.js';

/** Asks what is to be merged into an instance's data. Resolves to `undefined` when that is left open. */
export function askForPatch(): Promise<JsonObject | undefined> {
  let patch: JsonObject | undefined;
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
    patch = read;
  };
  const form = h(
    'form',
    { class: 'stack', method: 'dialog', onsubmit: submit },
    h('h2', { id: 'patch-title' }, 'Correct the data'),
    h(
      'div',
      { class: 'field' },
      h('label', { for: 'patch' }, 'JSON object; it is merged into the data, and every other value replaces what is there'),
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

/** The object a text says, or a sentence why it is none. */
function readObject(text: string): JsonObject | string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
    return 'expected a JSON object such as {"amount": 250}, but it is another value';
  } catch (error) {
    return `expected a JSON object such as {"amount": 250}, but: ${(error as Error).message}`;
  }
}
