/** An instance of a trial as one of its users sees it: its position, the available actions, the pushed messages. */
import '@stepwire/client/forms';
import type { AvailableAction, Instance, JsonObject } from '@stepwire/client';
import { commandButton } from '../../admin/command-button.js';
import { iterationOf, iterationStep } from '../../admin/iterations.js';
import { MessageList } from '../../admin/message-list.js';
import { JsonTree } from '../../admin/tree.js';
import { h, redraw } from '../../dom.js';
import type { Player } from './player.js';

/** What the view needs from the trial. */
export interface Viewing {
  player: Player;
  instance: Instance;
  command: (recorded: Record<string, unknown>, run: (instance: Instance) => Promise<unknown>) => Promise<void>;
  /** Starts a process for an Action message. */
  start: (process: string, from: { instance: string; seq: number }) => void;
}

export class InstanceView {
  private readonly root = h('div', { class: 'stack', 'data-testid': 'trial-view' });
  private readonly stand = h('div', { class: 'trial-part stack' });
  private readonly actions = h('div', { class: 'trial-part stack', 'data-testid': 'trial-actions' });
  private readonly tree = h('div', { class: 'tree' });
  private readonly dataTree = h('div', { class: 'tree' });
  private readonly list = h('ul', { class: 'log-list', 'data-testid': 'trial-messages' });
  private readonly view = new JsonTree(this.tree);
  private readonly whole = new JsonTree(this.dataTree);
  private readonly messages = new MessageList(this.list, () => Promise.resolve([]));
  private readonly forms = new Map<string, HTMLElement>();
  private offered = '';
  private shown = 0;
  private seen: unknown;

  constructor(
    /** The user and the instance. */
    readonly key: string,
    private readonly viewing: Viewing,
  ) {
    const part = (label: string, open: boolean, content: HTMLElement) =>
      h('details', { class: 'trial-part', open }, h('summary', {}, h('h3', {}, label)), content);
    this.root.append(
      this.stand,
      this.actions,
      part('View', true, this.tree),
      part('Pushed messages', true, h('div', {}, this.list, h('p', { class: 'empty muted' }, 'No messages were pushed yet.'))),
      part('Data', false, this.dataTree),
    );
  }

  /** All data, as operators see them. */
  data(data: JsonObject): void {
    this.whole.show(data);
  }

  draw(): HTMLElement {
    const { instance, player } = this.viewing;
    const error = instance.error.get();
    const status = instance.status.get();
    const badge = h('span', { class: 'badge', 'data-status': status ?? '', 'data-testid': 'trial-status' }, status ?? '…');
    const words = error ? h('p', { class: 'error' }, `For ${player.name}: ${error.message}`) : h('p', {}, badge);
    redraw(this.stand, words, ...this.drawNodes(), ...this.drawOffers());
    this.drawActions();
    const view = instance.view.get();
    if (view !== this.seen) this.view.show((this.seen = view));
    const all = player.messagesOf(instance.key);
    all.slice(this.shown).forEach((message) => this.messages.add(message));
    this.shown = all.length;
    return this.root;
  }

  private drawNodes(): HTMLElement[] {
    const { instance, command } = this.viewing;
    const nodes = instance.nodes.get().map(({ node, name, element, type, assignee, incident, dueAt }) => {
      const button = (label: string, step: string, run: (at: Instance) => Promise<unknown>) =>
        commandButton({
          label,
          focus: `node/${element}/${step}`,
          about: `at ${name || node}`,
          run: () => void command({ [step]: node, ...iterationStep(element, instance.nodes.get()) }, run).catch(() => undefined),
        });
      const buttons = incident
        ? [button('Retry', 'retry', (at) => at.command('retry', { element })), button('Skip', 'skip', (at) => at.command('skip', { element }))]
        : type === 'userTask'
          ? [
              assignee === undefined
                ? button('Claim', 'claim', (at) => at.command('claim', { element }))
                : button('Release', 'release', (at) => at.command('release', { element })),
            ]
          : [];
      return h(
        'li',
        { class: 'row body', 'data-node': node },
        h('strong', {}, name || node),
        h('span', { class: 'muted small' }, [type, iterationOf(element, instance.nodes.get())].filter(Boolean).join(', ')),
        assignee !== undefined && h('span', { class: 'small' }, `assigned to ${assignee}`),
        dueAt !== undefined && h('span', { class: 'small' }, `due ${new Date(dueAt).toLocaleString()}`),
        incident && h('span', { class: 'error' }, `${incident.code}: ${incident.message}`),
        ...buttons,
      );
    });
    return nodes.length > 0 ? [h('ul', { class: 'log-list', 'data-testid': 'trial-nodes' }, ...nodes)] : [];
  }

  /** Action messages that ask for the start of a process. */
  private drawOffers(): HTMLElement[] {
    const { player, instance, start } = this.viewing;
    const offers = player.offers.get(instance.key) ?? [];
    return offers.flatMap(({ body, seq }) => {
      // A body may be any JSON.
      const { processName: process, processInstanceKey: started } = Object(body) as JsonObject;
      if (typeof process !== 'string' || typeof started === 'string') return [];
      return [
        commandButton({
          label: `Start ${process}`,
          focus: `offer/${seq}`,
          run: () => start(process, { instance: instance.key, seq }),
        }),
      ];
    });
  }

  /** Forms are kept as long as their action is offered, so that input is not lost. */
  private drawActions(): void {
    const { instance } = this.viewing;
    const actions = instance.actions.get();
    const offered = actions.map(({ name, element }) => `${name} ${element}`).join('\n');
    if (offered === this.offered && this.actions.hasChildNodes()) return;
    this.offered = offered;
    const forms = actions.map((action) => {
      const key = `${action.name} ${action.element}`;
      const form = this.forms.get(key) ?? this.form(action);
      this.forms.set(key, form);
      return form;
    });
    const none = h('p', { class: 'empty' }, 'No action for this user at this step.');
    redraw(this.actions, h('h3', {}, 'Allowed actions'), ...(forms.length > 0 ? forms : [none]));
  }

  private form({ name, node, element, back, required, repeatable }: AvailableAction): HTMLElement {
    const { instance, command } = this.viewing;
    const form = document.createElement('stepwire-form');
    const run: Instance['run'] = async (action, data, options) => {
      const several = instance.actions.get().filter((one) => one.name === action).length > 1;
      const given = data && Object.keys(data).length > 0 ? { data } : {};
      let result: Awaited<ReturnType<Instance['run']>> | undefined;
      await command({ run: action, ...(several ? { node, ...iterationStep(element, instance.nodes.get()) } : {}), ...given }, async (at) => {
        result = await at.run(action, data, options);
      });
      return result!;
    };
    form.action = name;
    form.element = element;
    form.texts = { submit: `Run ${name}` };
    form.instance = { ...instance, run } as Instance;
    form.setAttribute('data-testid', 'trial-form');
    const words = [node, iterationOf(element, instance.nodes.get()), required, repeatable && 'repeatable', back && 'goes back'].filter(Boolean).join(', ');
    return h(
      'section',
      { class: 'trial-action', 'data-action': name, 'data-element': element, 'aria-label': `Action ${name}` },
      h('p', {}, h('strong', {}, name), ' ', h('span', { class: 'muted small' }, words)),
      form,
    );
  }
}
