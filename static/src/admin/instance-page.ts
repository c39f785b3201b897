import { type ActiveNode, type Client, connect, type Instance, type JsonObject, type Store } from '@stepwire/client';
import { showSession } from './session.js';
import { batched, byId, h, redraw } from '../dom.js';
import { ActionList } from './action-list.js';
import { ChildTree } from './child-tree.js';
import { commandButton } from './command-button.js';
import { Diagram } from './diagram.js';
import { drawingOf } from './drawing.js';
import { ElementNotes, isLive } from './element-notes.js';
import { elementsTable, time, type Visit } from './elements-table.js';
import { NullReasons } from './null-reasons.js';
import { messageIn, MessageList, type PushedMessage } from './message-list.js';
import { askForMigration, migrate } from './migrate-dialog.js';
import type { MovableNode } from './move-dialog.js';
import { askForPatch } from './patch-dialog.js';
import { getJson, ticketUrl } from './rest.js';
import { Timeline } from './timeline.js';
import { JsonTree } from './tree.js';
import { complain, run } from './trouble.js';
import { type Waiting, waitingTable } from './waiting.js';

interface History {
  elements: Visit[];
  flows?: string[];
}

/** The state of the instance, current or past, as operators see it. */
interface ObservedState {
  version: number;
  nodes: ActiveNode[];
  view: unknown;
  status: string;
  data?: unknown;
  subscriptions?: Waiting[];
}

/** Timers of events are among the subscriptions. */
interface Timers {
  timers: Waiting[];
}

/** The page of one instance: all its live parts. */
export class InstancePage {
  private readonly client: Client;
  private readonly instance: Instance;
  private readonly diagram = new Diagram(byId('diagram'));
  private readonly view = new JsonTree(byId('view'));
  private readonly data = new JsonTree(byId('data'));
  private readonly messages = new MessageList(byId('messages'), (message) => this.whyNull(message));
  private readonly children = new ChildTree(byId('children'));
  private readonly actions: ActionList;
  private readonly timeline: Timeline;
  private readonly reasons: NullReasons;
  private readonly notes: ElementNotes;
  private readonly path: string;
  private readonly process: string;
  private readonly version: number;
  private readonly isChild: boolean;
  private drawn = false;
  /** Whether the data are visible to this user, who may then also correct them. */
  private hasData = false;
  private history: History = { elements: [] };
  private reading = false;
  private readAgain = false;
  /** The state at the selected earlier moment; `undefined` for now. */
  private past: ObservedState | undefined;
  private readingPast = false;

  constructor({ key = '', process = '', version = '', child, diagram }: DOMStringMap) {
    this.isChild = child === 'true';
    this.process = process;
    this.version = Number(version);
    this.path = `/v1/instances/${encodeURIComponent(key)}`;
    // The page only observes: it does not start processes that an Action message asks for.
    this.client = connect({ url: ticketUrl, client: 'admin/1', schemas: true, debug: (_, frame) => this.saw(frame, key) });
    this.instance = this.client.instance(process, key);
    const definition = `/v1/definitions/${encodeURIComponent(process)}/${encodeURIComponent(version)}`;
    let known: Promise<MovableNode[]> | undefined;
    this.notes = new ElementNotes(this.instance, run, {
      nodes: () => (known ??= getJson<{ nodes: MovableNode[] }>(definition).then((read) => read?.nodes ?? [])),
      visits: () => this.history.elements,
      may: () => this.hasData,
    });
    this.actions = new ActionList(byId('actions'), this.instance);
    this.reasons = new NullReasons(definition);
    const nodeOf = (element: string) => this.history.elements.find((visit) => visit.element === element)?.node;
    this.timeline = new Timeline(byId('timeline'), this.path, nodeOf, () => void this.lookBack());
    byId<HTMLInputElement>('search-data').addEventListener('input', ({ target }) => {
      this.data.search((target as HTMLInputElement).value);
      this.view.search((target as HTMLInputElement).value);
    });
    showSession(this.client);
    const { view, nodes, actions, status, children, error } = this.instance;
    this.follow(view, () => this.past ?? this.view.show(view.get()));
    this.follow(status, () => {
      this.showStatus();
      this.showTokens();
    });
    this.follow(nodes, () => this.showTokens());
    this.follow(actions, () => this.actions.show(actions.get()));
    this.follow(children, () => this.children.show(children.get()));
    this.follow(error, () => complain(error.get()));
    document.querySelectorAll<HTMLTimeElement>('#instance time').forEach((at) => at.replaceWith(time(at.dateTime)));
    void this.draw(process, version, diagram === 'true' ? 'bpmn' : 'json');
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

  private async draw(process: string, version: string, format: string): Promise<void> {
    const path = `/v1/definitions/${encodeURIComponent(process)}/${encodeURIComponent(version)}`;
    try {
      await this.diagram.load(await drawingOf(path, format));
      this.drawn = true;
    } catch {
      // The table below shows everything.
      byId('diagram').replaceChildren(h('p', { class: 'empty' }, 'This definition cannot be drawn; see the table below.'));
    }
    this.showTokens();
  }

  /** Loads what frames do not contain: history, data, and earlier messages. A change meanwhile causes another load. */
  private async read(): Promise<void> {
    this.readAgain = true;
    if (this.reading) return;
    this.reading = true;
    while (this.readAgain) {
      this.readAgain = false;
      const [history, instance, pushed, timers] = await Promise.all([
        getJson<History>(`${this.path}/history`),
        getJson<ObservedState>(this.path),
        getJson<{ messages: PushedMessage[] }>(`${this.path}/messages`),
        this.hasData ? getJson<Timers>(`/v1/timers?instance=${this.instance.key}`) : undefined,
      ]);
      if (history) this.history = history;
      // After a migration nearly everything here belongs to the previous version.
      if (instance && instance.version !== this.version) return location.reload();
      if (instance?.data !== undefined) {
        // Only operators get the data, and only they may load the other parts for operators.
        if (!this.hasData) this.readAgain = true;
        this.hasData = true;
        this.showStatus();
        if (!this.past) this.data.show(instance.data);
        this.showCorrection();
        await this.timeline.read();
        this.showWaiting(instance, timers?.timers ?? []);
        document.querySelectorAll<HTMLElement>('[data-operators]').forEach((part) => (part.hidden = false));
      }
      pushed?.messages.forEach((message) => this.messages.add(message));
      this.showTokens();
    }
    this.reading = false;
  }

  private showWaiting({ subscriptions = [] }: ObservedState, timers: readonly Waiting[]): void {
    const nodeOf = (element: string) => this.history.elements.find((visit) => visit.element === element)?.node;
    const others = timers.filter(({ kind }) => kind !== 'event');
    redraw(byId('waiting'), waitingTable([...subscriptions, ...others], nodeOf));
  }

  /** The timeline was moved: shows the state of the instance at the last requested moment. */
  private async lookBack(): Promise<void> {
    if (this.readingPast) return;
    this.readingPast = true;
    try {
      for (let shown: number | undefined = NaN; shown !== this.timeline.moment;) {
        shown = this.timeline.moment;
        this.past = shown === undefined ? undefined : await getJson<ObservedState>(`${this.path}?at=${shown}`);
      }
    } finally {
      this.readingPast = false;
    }
    document.body.classList.toggle('in-the-past', this.past !== undefined);
    this.showTokens();
    const { past } = this;
    if (past) {
      this.view.show(past.view);
      this.data.show(past.data);
      this.showWaiting(past, []);
    } else {
      this.view.show(this.instance.view.get());
      void this.read();
    }
  }

  /** The part of the history up to the selected moment. */
  private visits(): Visit[] {
    const { moment } = this.timeline;
    if (moment === undefined) return this.history.elements;
    const ended = this.timeline.ended();
    return this.history.elements
      .filter(({ element }) => Number(element.slice(element.lastIndexOf('-') + 1)) <= moment)
      .map((visit) => (ended.has(visit.element) ? visit : { ...visit, lifecycle: 'Activated', endedAt: null, events: [], children: [] }));
  }

  private async whyNull({ seq, node = '', action = '' }: PushedMessage): Promise<string[]> {
    const moment = this.timeline.momentOf(seq);
    const then = moment === undefined ? undefined : await getJson<ObservedState>(`${this.path}?at=${moment}`);
    if (then?.data === undefined) return [];
    const owners: unknown[] = [];
    const known = (element: string | undefined) => this.history.elements.find((visit) => visit.element === element);
    const pushed = this.timeline.records.find((record) => record.seq === seq);
    for (let visit = known(pushed?.element); visit; visit = known(visit.scope)) owners.push(visit.variables);
    return this.reasons.of(node, action, [...owners, then.data]);
  }

  private showTokens(): void {
    const active = this.past?.nodes ?? this.instance.nodes.get();
    const elements = this.visits();
    const passed = elements.filter(({ lifecycle }) => lifecycle === 'Completed').map(({ node }) => node);
    const visits = new Map<string, number>();
    for (const { node, loopCounter } of elements) if (loopCounter === undefined) visits.set(node, (visits.get(node) ?? 0) + 1);
    if (this.drawn) this.diagram.show(active, passed, this.history.flows ?? [], visits);
    redraw(
      byId('elements'),
      elementsTable(elements, active, (node) => (this.past ? [] : this.notes.draw(node))),
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
    const patch = await askForPatch(this.instance.nodes.get());
    if (patch) await this.client.command({ type: 'patch', instance: this.instance.key, ...patch });
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
      instance.status.get() === 'onHold' ? button('Unhold', () => instance.command('unhold')) : button('Hold', () => instance.command('hold'));
    const dismiss = button('Dismiss', () => instance.command('dismiss'), 'Dismiss this subprocess? That cannot be undone.');
    const terminate = button('Terminate', () => instance.command('terminate'), 'Terminate this instance? That cannot be undone.');
    const toVersion = commandButton({ label: 'Migrate…', focus: 'commands/Migrate', run: () => run(this.migrate()) });
    const repairs = this.hasData && instance.status.get() === 'started' ? [toVersion] : [];
    return [hold, ...repairs, ...(this.isChild ? [dismiss] : []), terminate];
  }

  private async migrate(): Promise<void> {
    const migration = await askForMigration(this.process, [this.instance.key], this.version);
    if (migration) await migrate(this.instance.key, migration);
  }
}
