/** A field for roles: typed, or chosen from those used elsewhere in the model. */
import { h } from '../dom.js';
import type { Editing } from './action-editor.js';
import { attribute } from './attributes.js';
import type { Moddle } from './types.js';

const OF_LANES = ['view', 'execute', 'assign', 'hold'];
const words = (text: string | undefined) => (text ?? '').split(/[\s,]+/).filter(Boolean);

/** All lanes of a process, drawn or not. */
export function lanesOf(process: Moddle): Moddle[] {
  const inside = (set: Moddle | undefined): Moddle[] =>
    (set?.get<Moddle[]>('lanes') ?? []).flatMap((lane) => [lane, ...inside(lane.get<Moddle | undefined>('childLaneSet'))]);
  return process.get<Moddle[]>('laneSets').flatMap(inside);
}

/** The roles of all lanes and tasks of the model. */
function knownRoles({ model }: Editing): string[] {
  const lanes = model.processes().flatMap(lanesOf);
  const tasks = model.elements().filter(({ type }) => type === 'bpmn:UserTask');
  const all = [
    ...lanes.flatMap((lane) => OF_LANES.flatMap((name) => words(lane.get(`stepwire:${name}`)))),
    ...tasks.flatMap(({ businessObject }) => words(businessObject.get('stepwire:candidateGroups'))),
  ];
  return [...new Set(all)].sort();
}

/** Roles, separated by blanks, with a button for each known role. */
export function rolesField(editing: Editing, moddle: Moddle, name: string, label: string, hint: string): HTMLElement {
  const { model, element, pending, redraw } = editing;
  const field = attribute(editing, moddle, name, { label, hint: `${hint} Separated by blanks.`, placeholder: 'clerk manager' });
  const roles = words(moddle.get<string | undefined>(`stepwire:${name}`));
  const toggle = (role: string) => () => {
    pending.flush();
    const now = words(moddle.get<string | undefined>(`stepwire:${name}`));
    const wanted = now.includes(role) ? now.filter((one) => one !== role) : [...now, role];
    model.set(element, moddle, { [`stepwire:${name}`]: wanted.join(' ') });
    redraw();
  };
  const buttons = knownRoles(editing).map((role) =>
    h(
      'button',
      {
        type: 'button',
        class: 'button quiet compact',
        'aria-pressed': String(roles.includes(role)),
        'data-focus': `${name}/role/${role}`,
        onclick: toggle(role),
      },
      role,
    ),
  );
  if (buttons.length > 0) field.append(h('div', { class: 'row roles', role: 'group', 'aria-label': `Roles for ${label}` }, ...buttons));
  return field;
}
