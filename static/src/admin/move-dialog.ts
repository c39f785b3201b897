/** Asks for the node to move a token to, and shows the consequences in advance. */
import { h } from '../dom.js';

/** The part of a node of a definition in JSON form that is used here. */
export interface MovableNode {
  id: string;
  name?: string;
  scope?: string;
  type: string;
  attachedTo?: string;
  actions?: { name: string; trigger?: string }[];
}

/** The nodes to which a token of `from` may be moved, as far as the definition shows; the server decides. */
export function targetsOf(nodes: readonly MovableNode[], from: string): MovableNode[] {
  const scope = nodes.find(({ id }) => id === from)?.scope;
  return nodes.filter((node) => node.scope === scope && !/^(startEvent|boundaryEvent)$/.test(node.type));
}

/** What moving a token ends and starts, one sentence each. */
export function previewOf(from: string, inside: readonly string[], called: readonly string[], to: MovableNode): string[] {
  const list = (names: readonly string[]) => names.join(', ');
  const automatic = (to.actions ?? []).filter(({ trigger }) => trigger !== 'manual').map(({ name }) => name);
  return [
    `Ends '${from}', with its timers and subscriptions; work done by its actions is kept.`,
    inside.length > 0 && `Ends the active elements in it: ${list(inside)}.`,
    called.length > 0 && `Terminates the instances it called: ${list(called)}.`,
    `Begins '${to.name || to.id}' (${to.type}) as if a flow had led there.`,
    automatic.length > 0 && `Runs its automatic actions: ${list(automatic)}.`,
    'The data do not change. A move cannot be undone, but the token can be moved again.',
  ].filter((sentence) => sentence !== false);
}

/** Resolves to the id of a node, or to `undefined` if cancelled. */
export function askForTarget(
  from: string,
  targets: readonly MovableNode[],
  preview: (to: MovableNode) => string[],
): Promise<string | undefined> {
  const options = targets.map(({ id, name, type }) => h('option', { value: id }, name ? `${name} (${type} ${id})` : `${type} ${id}`));
  const select = h('select', { class: 'input', id: 'move-to', required: true }, h('option', { value: '' }, 'Choose…'), ...options);
  const effects = h('ul', { class: 'effects', 'aria-live': 'polite', 'data-testid': 'move-preview' });
  const move = h('button', { class: 'button danger', value: 'move', disabled: true }, 'Move the token');
  select.addEventListener('change', () => {
    const to = targets.find(({ id }) => id === select.value);
    move.disabled = !to;
    effects.replaceChildren(...(to ? preview(to) : []).map((sentence) => h('li', {}, sentence)));
  });
  const cancel = h('button', { class: 'button', type: 'button', onclick: () => dialog.close() }, 'Cancel');
  const form = h(
    'form',
    { class: 'stack', method: 'dialog' },
    h('h2', { id: 'move-title' }, `Move the token of ${from}`),
    h('div', { class: 'field' }, h('label', { for: 'move-to' }, 'To'), select),
    effects,
    h('div', { class: 'row' }, move, cancel),
  );
  const dialog = h('dialog', { class: 'dialog', 'aria-labelledby': 'move-title', 'data-testid': 'move-dialog' }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'move' ? select.value : undefined);
    }),
  );
}
