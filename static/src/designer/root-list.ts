/** The messages, signals, errors and escalations of a document, as a list from which events choose. */
import { h } from '../dom.js';
import type { Editing } from './action-editor.js';
import { drawing } from './attributes.js';
import { isRequired } from './checks.js';
import { completePaths } from './completion.js';
import { countOf, freeName, nameOfRoot, renamed, type RootKind } from './root-reference.js';
import type { Moddle } from './types.js';

const KINDS: readonly [RootKind['kind'], article: string, member: string][] = [
  ['Message', 'a message', 'name'],
  ['Signal', 'a signal', 'name'],
  ['Error', 'an error', 'errorCode'],
  ['Escalation', 'an escalation', 'escalationCode'],
];

/** Each of them with its fields; one without references can be removed. */
export function rootListFields(editing: Editing): HTMLElement[] {
  return KINDS.map(([kind, article, member]) => ofKind(editing, kind, article, member));
}

function ofKind(editing: Editing, kind: RootKind['kind'], article: string, member: string): HTMLElement {
  const { model, element, redraw } = editing;
  const roots = model.definitions.get<Moddle[]>('rootElements');
  const all = roots.filter(({ $type }) => $type === `bpmn:${kind}`);
  const put = (rootElements: Moddle[]) => {
    model.change(element, { moddle: model.definitions, properties: { rootElements } });
    redraw();
  };
  const add = () => {
    const name = freeName(all.map((one) => nameOfRoot(one, member)), kind.toLowerCase());
    put([...roots, model.create(`bpmn:${kind}`, { name, [member]: name }, model.definitions)]);
  };
  const rows = all.map((root, index) => {
    const own = { ...editing, prefix: `root/${kind}/${index}/` };
    const used = countOf(editing, root, `${kind.toLowerCase()}Ref`);
    const remove = h(
      'button',
      {
        type: 'button',
        class: 'button quiet compact',
        'data-focus': `${own.prefix}remove`,
        'aria-label': `Remove ${kind.toLowerCase()} ${nameOfRoot(root, member)}`,
        onclick: () => put(roots.filter((one) => one !== root)),
      },
      'Remove',
    );
    const legend = h('legend', { class: 'visually-hidden' }, `${kind} ${index + 1}`);
    return h('fieldset', { class: 'key' }, legend, ...rowFields(own, root, kind, member, used), ...(used === 0 ? [remove] : []));
  });
  const button = h(
    'button',
    { type: 'button', class: 'button compact', 'data-focus': `root/${kind}/add`, onclick: add },
    `Add ${article}`,
  );
  return h('fieldset', { class: 'group' }, h('legend', {}, `${kind}s`), ...rows, button);
}

function rowFields(editing: Editing, root: Moddle, kind: string, member: string, used: number): HTMLElement[] {
  const { model, element, redraw } = editing;
  const draw = drawing(editing);
  const named = member === 'name';
  const hint = used === 0 ? 'Nothing refers to it.' : `Referred to by ${used} element${used === 1 ? '' : 's'}.`;
  const text = (name: string, label: string, hint: string | undefined, change: (value: string | undefined) => Record<string, unknown>) =>
    draw({
      kind: 'text',
      name,
      label,
      hint,
      value: root.get<string | undefined>(name) ?? '',
      check: name === member ? isRequired : undefined,
      commit: (written) => {
        model.change(element, { moddle: root, properties: change(written.trim() || undefined) });
        // The display name may follow the code.
        if (!named && name === member) redraw();
      },
    });
  const fields = [text(member, named ? `${kind} name` : `${kind} code`, hint, (value) => renamed(root, member, value))];
  if (!named) fields.push(text('name', 'Name', 'For people; events go by the code.', (name) => ({ name })));
  if (kind !== 'Message') return fields;
  const key = draw({
    kind: 'text',
    name: 'correlationKey',
    label: 'Correlation key',
    placeholder: '${order.id}',
    hint: 'For every event of this message that says no other.',
    value: root.get<string | undefined>('stepwire:correlationKey') ?? '',
    commit: (written) => model.set(element, root, { 'stepwire:correlationKey': written }),
  });
  completePaths(key, () => editing.paths);
  return [...fields, key];
}
