import { h } from '../dom.js';

/** Asks for the user to assign a task to. Resolves to `undefined` if cancelled. */
export function askForUser(task: string, assignee = ''): Promise<string | undefined> {
  const input = h('input', { class: 'input', id: 'assignee', autocomplete: 'off', spellcheck: false, required: true });
  input.value = assignee;
  const cancel = h('button', { class: 'button', type: 'button', onclick: () => dialog.close() }, 'Cancel');
  const form = h(
    'form',
    { class: 'stack', method: 'dialog' },
    h('h2', { id: 'assign-title' }, `Assign ${task}`),
    h('div', { class: 'field' }, h('label', { for: 'assignee' }, 'User'), input),
    h('div', { class: 'row' }, h('button', { class: 'button primary', value: 'assign' }, 'Assign'), cancel),
  );
  const dialog = h('dialog', { class: 'dialog', 'aria-labelledby': 'assign-title', 'data-testid': 'assign-dialog' }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'assign' ? input.value.trim() : undefined);
    }),
  );
}
