import { type Client, connect, type Instance, type JsonObject, type Store } from '@stepwire/client';
import { showConnection } from '../connection-badge.js';
import { batched, byId, h, redraw } from '../dom.js';
import { actionList } from './action-list.js';
import { commandButton } from './command-button.js';
import { Diagram } from './diagram.js';
import { ElementNotes, isLive } from './element-notes.js';
import { elementsTable, time, type Visit } from './elements-table.js';
import { messageIn, MessageList, type PushedMessage } from './message-list.js';
import { askForPatch } from './patch-dialog.js';
import { getJson, ticketUrl } from './rest.js';
import { JsonTree } from './tree.js';
import { complain, run } from './trouble.js';

interface History {
  elements: Visit[];
  flows?: string[];
}

/** The page of one instance: everything that moves on it. */
export class InstancePage {
  private readonly client: Client;
  private readonly instance: Instance;
  private readonly diagram = new Diagram(byId('diagram'));
  private readonly view = new JsonTree(byId('view'));
  private readonly data = new JsonTree(byId('data'));
  private readonly messages = new MessageList(byId('messages'));
  private readonly notes: ElementNotes;
  private readonly path: string;
  private readonly isChild: boolean;
  private drawn = false;
  /** Whether the data are shown: then they may be corrected, too. */
  private hasData = false;
  private history: History = { elements: [] };
  private reading = false;
  private readAgain = false;

  constructor({ key = '', process = '', version = '', child, diagram }: DOMStringMap) {
    this.isChild = child === 'true';
    this.path = `/v1/instances/${encodeURIComponent(key)}`;
    // The page watches: it starts nothing that an Action message asks a frontend to start.
    this.client = connect({ url: ticketUrl, onAction: () => true, client: 'admin/1', debug: (_, frame) => this.saw(frame, key) });
    this.instance = this.client.instance(process, key);
    this.notes = new ElementNotes(this.instance, run);
    showConnection(byId('connection'), this.client);
    const { view, nodes, actions, status, children, error } = this.instance;
    this.follow(view, () => this.view.show(view.get()));
    this.follow(status, () => {
      this.showStatus();
      this.showTokens();
    });
    this.follow(nodes, () => this.showTokens());
    this.follow(actions, () => this.showActions());
    this.follow(children, () => this.showChildren());
    this.follow(error, () => complain(error.get()));
    document.querySelectorAll<HTMLTimeElement>('#instance time').forEach((at) => at.replaceWith(time(at.dateTime)));
    if (diagram === 'true') void this.draw(process, version);
    else byId('diagram').replaceChildren(h('p', { class: 'empty' }, 'This definition has no diagram; see the table below.'));
    void this.read();
  }

  private follow<T>(store: Store<T>, show: () => void): void {
    store.subscribe(batched(show));
    show();
  }

  private saw(frame: JsonObject, key: string): void {
    const channel = `instance/${key}`;
    const message = messageIn(frame, channel);
    if (message) this.messages.add(message);
    if (frame.channel === channel && (frame.type === 'progress' || frame.type === 'snapshot')) void this.read();
  }

  private async draw(process: string, version: string): Promise<void> {
    const path = `/v1/definitions/${encodeURIComponent(process)}/${encodeURIComponent(version)}`;
    const response = await fetch(path, { headers: { accept: 'application/xml' }, credentials: 'same-origin' });
    if (!response.ok) return byId('diagram').replaceChildren(h('p', { class: 'empty' }, 'This definition has no diagram.'));
    try {
      await this.diagram.load(await response.text());
      this.drawn = true;
    } catch {
      // BPMN without diagram interchange is fine for the server; the table below has all there is to see.
      byId('diagram').replaceChildren(h('p', { class: 'empty' }, 'This definition has no diagram; see the table below.'));
    }
    this.showTokens();
  }

  /** Reads what no frame tells: history, data, and the messages from before. Changes while it reads make it read once more. */
  private async read(): Promise<void> {
    this.readAgain = true;
    if (this.reading) return;
    this.reading = true;
    while (this.readAgain) {
      this.readAgain = false;
      const [history, instance, pushed] = await Promise.all([
        getJson<History>(`${this.path}/history`),
        getJson<{ data?: unknown }>(this.path),
        getJson<{ messages: PushedMessage[] }>(`${this.path}/messages`),
      ]);
      if (history) this.history = history;
      if (instance?.data !== undefined) {
        this.data.show(instance.data);
        this.hasData = true;
        this.showCorrection();
      }
      pushed?.messages.forEach((message) => this.messages.add(message));
      this.showTokens();
    }
    this.reading = false;
  }

  private showTokens(): void {
    const active = this.instance.nodes.get();
    const { elements, flows = [] } = this.history;
    const passed = elements.filter(({ lifecycle }) => lifecycle === 'Completed').map(({ node }) => node);
    if (this.drawn) this.diagram.show(active, [...passed, ...flows]);
    redraw(
      byId('elements'),
      elementsTable(elements, active, (node) => this.notes.draw(node)),
    );
  }

  private showStatus(): void {
    const status = this.instance.status.get();
    if (!status) return;
    const badge = byId('status');
    badge.dataset.status = status;
    badge.textContent = status;
    redraw(byId('commands'), ...(isLive(status) ? this.commands() : []));
    this.showCorrection();
  }

  private showCorrection(): void {
    const status = this.instance.status.get();
    const may = this.hasData && status !== undefined && isLive(status);
    const correct = () => commandButton({ label: 'Correct', focus: 'correct/Correct', run: () => run(this.correct()) });
    redraw(byId('correct'), ...(may ? [correct()] : []));
  }

  private async correct(): Promise<void> {
    const data = await askForPatch();
    if (data) await this.client.command({ type: 'patch', instance: this.instance.key, data });
  }

  private commands(): HTMLElement[] {
    const { instance } = this;
    const button = (label: string, work: () => Promise<void>, ask?: string) =>
      commandButton({
        label,
        focus: `commands/${label}`,
        kind: ask === undefined ? undefined : 'danger',
        run: () => (ask === undefined || confirm(ask)) && run(work()),
      });
    const hold =
      instance.status.get() === 'onHold' ? button('Unhold', () => instance.unhold()) : button('Hold', () => instance.hold());
    const dismiss = button('Dismiss', () => instance.dismiss(), 'Dismiss this subprocess? That cannot be undone.');
    const terminate = button('Terminate', () => instance.terminate(), 'Terminate this instance? That cannot be undone.');
    return this.isChild ? [hold, dismiss, terminate] : [hold, terminate];
  }

  private showActions(): void {
    const list = actionList(this.instance.actions.get(), async ({ name, element }, data) => {
      await this.instance.run(name, data, { element });
    });
    byId('actions').replaceChildren(list);
  }

  private showChildren(): void {
    const children = this.instance.children.get();
    if (children.length === 0) return byId('children').replaceChildren(h('p', { class: 'empty' }, 'None.'));
    const items = children.map(({ key, process, status }) => {
      const badge = h('span', { class: 'badge', 'data-status': status.get() }, status.get() ?? '…');
      status.subscribe((now) => {
        badge.dataset.status = now;
        badge.textContent = now ?? '';
      });
      return h(
        'li',
        { class: 'row body' },
        h('a', { href: encodeURIComponent(key), class: 'table-link' }, key),
        process ?? '',
        badge,
      );
    });
    byId('children').replaceChildren(h('ul', { class: 'log-list' }, ...items));
  }
}
