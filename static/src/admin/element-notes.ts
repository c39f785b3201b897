import type { ActiveNode, Instance, InstanceStatus } from '@stepwire/client';
import { h } from '../dom.js';
import { askForUser } from './assign-dialog.js';
import { commandButton } from './command-button.js';
import { dueNotes } from './due.js';
import type { Visit } from './elements-table.js';
import { askForTarget, type MovableNode, previewOf, targetsOf } from './move-dialog.js';

/** Notes about an active element, with the commands to it. The server decides whether this user may run them. */
export class ElementNotes {
  constructor(
    private readonly instance: Instance,
    private readonly run: (work: Promise<unknown>) => void,
    /** What is needed to move a token; for operators only. */
    private readonly moves?: { nodes(): Promise<MovableNode[]>; visits(): readonly Visit[]; may(): boolean },
  ) {}

  draw(active: ActiveNode): (Node | string)[] {
    const { incident, assignee, readOnly } = active;
    const due = dueNotes(active);
    const words = [
      incident && h('p', {}, h('code', {}, incident.code), ` ${incident.message}`),
      assignee !== undefined && h('p', {}, `Assigned to ${assignee}`),
      due.length > 0 && h('p', { 'data-testid': 'due' }, 'Due ', ...due),
      readOnly && h('p', {}, h('span', { class: 'badge', 'data-status': 'readOnly' }, 'read only')),
    ].filter((word) => word instanceof Node);
    const buttons = [...this.forIncident(active), ...this.forTask(active), ...this.forMove(active)];
    if (buttons.length > 0) words.push(h('p', { class: 'row' }, ...buttons));
    return words.length > 0 ? words : ['—'];
  }

  private forIncident(active: ActiveNode): HTMLElement[] {
    const { element, incident } = active;
    // An instance on hold does not continue, so there is nothing to retry.
    if (!incident || this.instance.status.get() !== 'started') return [];
    return [
      this.button('Retry', active, () => this.instance.command('retry', { element })),
      this.button('Skip', active, () => this.instance.command('skip', { element })),
    ];
  }

  private forTask(active: ActiveNode): HTMLElement[] {
    const { element, type, assignee } = active;
    if (type !== 'userTask' || !isLive(this.instance.status.get())) return [];
    const mine =
      assignee === undefined
        ? this.button('Claim', active, () => this.instance.command('claim', { element }))
        : this.button('Release', active, () => this.instance.command('release', { element }));
    return [mine, this.button('Assign…', active, () => this.assign(active))];
  }

  private forMove(active: ActiveNode): HTMLElement[] {
    if (!this.moves?.may() || this.instance.status.get() !== 'started') return [];
    return [this.button('Move…', active, () => this.move(active))];
  }

  private async move({ element, name, node }: ActiveNode): Promise<void> {
    const nodes = (await this.moves?.nodes()) ?? [];
    const visits = this.moves?.visits() ?? [];
    const within = (scope: string): Visit[] =>
      visits.filter((visit) => visit.scope === scope && visit.lifecycle === 'Activated').flatMap((visit) => [visit, ...within(visit.element)]);
    const inside = within(element);
    const own = visits.filter((visit) => visit.element === element);
    const called = [...own, ...inside].flatMap(({ children = [] }) => children.filter(({ status }) => status === null));
    const preview = (to: MovableNode) =>
      previewOf(
        name || node,
        inside.map((visit) => visit.name || visit.node),
        called.map(({ process, instance }) => `${process} ${instance}`),
        to,
      );
    const to = await askForTarget(name || node, targetsOf(nodes, node), preview);
    if (to !== undefined) await this.instance.command('move', { element, to });
  }

  private async assign({ element, name, node, assignee }: ActiveNode): Promise<void> {
    const user = await askForUser(name || node, assignee);
    if (user !== undefined) await this.instance.command('assign', { element, user });
  }

  private button(label: string, { element, name, node }: ActiveNode, work: () => Promise<unknown>): HTMLElement {
    const run = () => this.run(work());
    return commandButton({ label, about: name || node, focus: `${element}/${label}`, run });
  }
}

/** Whether the instance can still move. */
export function isLive(status: InstanceStatus | undefined): boolean {
  return status === 'started' || status === 'onHold';
}
