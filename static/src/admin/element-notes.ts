import type { ActiveNode, Instance, InstanceStatus } from '@stepwire/client';
import { h } from '../dom.js';
import { askForUser } from './assign-dialog.js';
import { commandButton } from './command-button.js';
import { dueNotes } from './due.js';

/** What is to be said of an active element, and what may be done about it. Whether this user may, the server answers. */
export class ElementNotes {
  constructor(
    private readonly instance: Instance,
    private readonly run: (work: Promise<unknown>) => void,
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
    const buttons = [...this.forIncident(active), ...this.forTask(active)];
    if (buttons.length > 0) words.push(h('p', { class: 'row' }, ...buttons));
    return words.length > 0 ? words : ['—'];
  }

  private forIncident(active: ActiveNode): HTMLElement[] {
    const { element, incident } = active;
    // On hold nothing goes on, so there is nothing to try again.
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
