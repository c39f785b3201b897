/**
 * "Try it": the draft runs in a trial on the server, and this panel controls its users, beside the canvas on which the tokens move.
 * Everything done is recorded, and can be saved as a scenario.
 */
import type { Instance, JsonObject, StepwireError } from '@stepwire/client';
import { Refused, type Problem, source } from '../../admin/definitions.js';
import { TokenMarks } from '../../admin/token-marks.js';
import { batched, h, redraw } from '../../dom.js';
import { durationInWords, isDuration } from '../checks.js';
import type { Model } from '../model.js';
import { InstanceView } from './instance-view.js';
import { Player } from './player.js';
import { Recording, type ScenarioFile } from '../../recording.js';
import { drawPublish, type Fields, OUTSIDE, OUTSIDE_ROLES, type Published } from './publish-part.js';
import { drawStart, whyRefused } from './start-part.js';
import { begin, end, look, moveClock, observe, type Trial, type TriedInstance } from './trial-api.js';

/** What the designer provides to a trial. */
export interface Stage {
  model: Model;
  xml: () => Promise<string>;
  /** Shows the problems of the draft. */
  problems: (problems: readonly Problem[]) => void;
  /** Reports why a trial could not begin. */
  failed: (error: Error) => void;
  /** Saves a text as a file. */
  save: (name: string, text: string) => void;
  /** The trial was closed. */
  closed: () => void;
}

/** Work that only reads the state again. */
const LOOK = 'look';
const ENDED = 'The trial has ended: begin again.';

export class TrialPanel {
  private trial: Trial | undefined;
  private xml = '';
  private players: Player[] = [];
  private player = 0;
  private selected = '';
  private recording = new Recording('', '');
  private view: InstanceView | undefined;
  private readonly tokens: TokenMarks;
  private trouble = '';
  private refusedStart = '';
  private isStale = false;
  /** What is in progress or waits in the present trial. */
  private asked = new Set<string>();
  private last = Promise.resolve();
  private readonly draft = new Map<string, string>();
  private readonly refresh = batched(() => this.draw());
  private readonly fields: Fields = {
    input: (...field) => this.input(...field),
    typed: (name, otherwise) => this.typed(name, otherwise),
    say: (sentence) => this.say(sentence),
  };

  constructor(
    private readonly root: HTMLElement,
    private readonly stage: Stage,
  ) {
    this.tokens = new TokenMarks({ get: (name) => stage.model.service(name) });
    addEventListener('pagehide', () => this.trial && end(this.trial.trial));
  }

  get isRunning(): boolean {
    return this.trial !== undefined;
  }

  /** The model has changed: the trial still runs the previous one. */
  modelChanged(): void {
    if (!this.trial || this.isStale) return;
    this.isStale = true;
    this.refresh();
  }

  /** Starts with the current model; the users are kept. */
  async begin(): Promise<void> {
    const users = this.players.length > 0 ? this.players.map(({ name, roles }) => ({ name, roles })) : [{ name: 'ada', roles: [] }];
    this.stop();
    this.say('Starting…');
    try {
      this.xml = await this.stage.xml();
      this.trial = await begin(this.xml);
      this.stage.problems(this.trial.problems);
    } catch (error) {
      const { problems = [] } = error as Partial<Refused>;
      if (problems.length === 0) {
        this.stage.failed(error as Error);
        return this.failed('The trial has not begun.');
      }
      this.stage.problems(problems);
      return this.failed('The draft has errors, which are listed below the canvas.');
    }
    const { definitions, now } = this.trial;
    this.isStale = false;
    this.recording = new Recording(`A trial of ${definitions[0]?.name || definitions[0]?.id}`, now);
    for (const { name, roles } of users) this.addPlayer(name, roles);
    this.player = Math.min(this.player, users.length - 1);
    this.say('');
  }

  /** Ends it. */
  stop(): void {
    if (this.trial) end(this.trial.trial);
    this.trial = undefined;
    this.asked = new Set();
    this.last = Promise.resolve();
    this.selected = '';
    this.refusedStart = '';
    this.view = undefined;
    this.players.forEach((player) => player.close());
    this.players = [];
    this.tokens.show([]);
  }

  /** The server has no such trial any more: it was not used for long, or the server has started again. */
  private ended(trial: string): void {
    // A user of a former trial may learn of its end when another one has begun.
    if (this.trial?.trial !== trial) return;
    this.trial = undefined;
    this.stop();
    this.say(ENDED);
  }

  private addPlayer(name: string, roles: readonly string[]): void {
    const { trial } = this.trial!;
    this.players.push(new Player(trial, name, roles, this.refresh, () => this.ended(trial)));
    this.recording.user(name, roles);
  }

  private get who(): Player {
    return this.players[this.player]!;
  }

  private processOf(key: string): string {
    return this.trial?.instances.find(({ instance }) => instance === key)?.process ?? '';
  }

  private say(sentence: string): void {
    this.trouble = sentence;
    this.draw();
  }

  private failed(sentence: string): void {
    this.trial = undefined;
    this.say(sentence);
  }

  /**
   * Runs work on the server, one piece after the other, and shows the resulting state. What is asked for meanwhile waits, unless it
   * is the same, as by a double click.
   */
  private async step(what: string, work: () => Promise<void>): Promise<void> {
    const [trial, asked] = [this.trial?.trial, this.asked];
    if (trial === undefined || asked.has(what) || (what === LOOK && asked.size > 0)) return;
    asked.add(what);
    const done = this.last.then(() => this.finish(trial, work)).finally(() => asked.delete(what));
    this.last = done.catch(() => undefined);
    await done;
  }

  /** While the server is asked, the trial may end and another one begin, which must not be touched. */
  private async finish(trial: string, work: () => Promise<void>): Promise<void> {
    if (this.trial?.trial !== trial) return;
    this.trouble = '';
    try {
      await work();
      await this.settle();
    } catch (error) {
      if (this.trial?.trial !== trial) return;
      const { status, message } = error as Refused;
      if (status === 404) this.stop();
      this.trouble = this.trial ? message : ENDED;
    }
    this.draw();
  }

  /** Waits until nothing is in progress and all frames have arrived. */
  private async settle(): Promise<void> {
    if (!this.trial) return;
    const looked = await look(this.trial.trial);
    if (this.trial?.trial !== looked.trial) return;
    this.trial = looked;
    const { instances } = looked;
    if (!instances.some(({ instance }) => instance === this.selected)) this.selected = instances[0]?.instance ?? '';
    for (const player of this.players)
      for (const { process, instance, parent } of instances) if (!parent) player.follow(process, instance);
    await Promise.all(this.players.map((player) => player.catchUp()));
    await this.showSelected();
  }

  private async showSelected(): Promise<void> {
    if (!this.trial || !this.selected) return this.tokens.show([]);
    const observed = await observe(this.trial.trial, this.selected);
    const isDrawn = this.stage.model.processes().some(({ id }) => id === this.processOf(this.selected));
    this.tokens.show(isDrawn ? observed.nodes : []);
    this.view?.data(observed.data);
  }

  /** A command of the current user to the selected instance, recorded with the resulting state. */
  private command(recorded: Record<string, unknown>, run: (instance: Instance) => Promise<unknown>): Promise<void> {
    const [{ name }, key] = [this.who, this.selected];
    const process = this.processOf(key);
    const instance = this.who.follow(process, key);
    const { recording } = this;
    let refused: Error | undefined;
    const work = async () => {
      try {
        await run(instance);
        recording.did(name, process, key, recorded);
      } catch (error) {
        const { code, message } = error as StepwireError;
        recording.did(name, process, key, { ...recorded, refused: code });
        refused = error as Error;
        this.trouble = message;
      }
      await this.settle();
      recording.expect(name, process, instance);
    };
    return this.step(JSON.stringify(recorded), work).then(() => {
      if (!refused) return;
      this.say(refused.message);
      // The form shows it at its fields.
      throw refused;
    });
  }

  private start(process: string, data: JsonObject, fields: Record<string, string>, inherit?: { instance: string; seq: number }): void {
    const { name, client } = this.who;
    void this.step(JSON.stringify({ process, data, fields, inherit }), async () => {
      this.refusedStart = '';
      const started = client.start(process, { data, ...fields, ...(inherit ? { inheritFrom: inherit } : {}) });
      const instance = await started.catch((error: Error) => {
        if (!inherit) this.refusedStart = whyRefused(error);
        throw error;
      });
      this.selected = instance.key;
      const given = Object.keys(data).length > 0 ? { data } : {};
      if (inherit)
        this.recording.started(name, process, instance.key, {
          instance: this.recording.called(this.processOf(inherit.instance), inherit.instance),
          inherit: true,
          ...given,
          ...fields,
        });
      else this.recording.started(name, process, instance.key, { ...given, ...fields });
      await this.settle();
      this.recording.expect(name, process, this.who.follow(process, instance.key));
    });
  }

  /** Publishes from outside; the first time, that user is added to the trial. */
  private publish(what: Published): void {
    if (!this.players.some(({ name }) => name === OUTSIDE)) this.addPlayer(OUTSIDE, OUTSIDE_ROLES);
    const outside = this.players.find(({ name }) => name === OUTSIDE)!;
    void this.step(JSON.stringify(what), async () => {
      const { instances, started, bufferedUntil, refused = [] } = await outside.client.publish(what);
      this.recording.step(OUTSIDE, { publish: { ...what } });
      if (!this.selected) this.selected = started[0] ?? '';
      await this.settle();
      const count = (many: number) => `${many} instance${many === 1 ? '' : 's'}`;
      const kept = bufferedUntil ? 'Nobody waits for it: it is kept.' : 'Nobody waits for it.';
      const got = `It went to ${count(instances.length)} and started ${count(started.length)}.`;
      const wrong = refused.map(({ message }) => message);
      this.trouble = [instances.length + started.length > 0 ? got : kept, ...wrong].join(' ');
      // An instance started by a message has no name in a scenario.
      if (!this.selected || started.includes(this.selected)) return;
      const process = this.processOf(this.selected);
      this.recording.expect(this.who.name, process, this.who.follow(process, this.selected));
    });
  }

  private move(to: { to: 'next' } | { advance: string }): void {
    void this.step(JSON.stringify(to), async () => {
      const before = Date.parse(this.trial!.now);
      const moved = await moveClock(this.trial!.trial, to);
      if (this.trial?.trial !== moved.trial) return;
      this.trial = moved;
      this.recording.advanced(Date.parse(this.trial.now) - before);
      await this.settle();
      if (!this.selected) return;
      const process = this.processOf(this.selected);
      this.recording.expect(this.who.name, process, this.who.follow(process, this.selected));
    });
  }

  private async saveScenario(inside: boolean): Promise<void> {
    const { definitions } = this.trial!;
    const [first] = definitions;
    const files: ScenarioFile[] = [];
    try {
      for (const { id, version } of definitions)
        if (version !== null) files.push({ name: `${id}.bpmn`, bpmn: await source(id, version, 'bpmn') });
    } catch (error) {
      return this.say((error as Error).message);
    }
    files.push({ name: `${first!.id}.bpmn`, bpmn: this.xml });
    this.stage.save(`${first!.id}.yaml`, this.recording.yaml(files, inside));
    if (!inside) files.forEach(({ name, bpmn = '' }) => this.stage.save(name, bpmn));
  }

  // Drawing.

  private draw(): void {
    const head = h('header', { class: 'row' }, h('h2', {}, 'Try it'), ...this.drawTools());
    const words = h('p', { class: 'small', role: 'status', 'data-testid': 'trial-said' }, this.trouble);
    if (!this.trial) return redraw(this.root, head, words);
    const stale = this.isStale
      ? [h('p', { class: 'note warn small' }, 'The model has changed: the trial runs the former model. Begin again to try the change.')]
      : [];
    const parts = [this.drawClock(this.trial), this.drawUsers(), ...this.drawInstances(this.trial), this.drawStart(this.trial), ...this.drawPublish(), ...this.drawSave(this.trial)];
    const isCut = ['lost', 'offline'].includes(this.who.client.status.get());
    const cut = isCut
      ? [h('p', { class: 'note warn small', role: 'status' }, 'No connection to the server. What you do is sent when it is back.')]
      : [];
    redraw(this.root, head, ...stale, ...cut, words, ...parts);
  }

  private button(label: string, name: string, run: () => unknown, look = ''): HTMLButtonElement {
    const attributes = { type: 'button', class: `button compact ${look}`, 'data-testid': `trial-${name}`, 'data-focus': `trial/${name}` };
    return h('button', { ...attributes, onclick: () => void run() }, label);
  }

  private drawTools(): HTMLElement[] {
    const close = () => {
      this.stop();
      this.stage.closed();
    };
    return [this.button('Begin again', 'again', () => this.begin()), this.button('End', 'end', close, 'quiet')];
  }

  /** A field of the panel; its input is kept when the panel is drawn again. */
  private input(name: string, label: string, otherwise: string, rows = 0, list: readonly string[] = []): HTMLElement {
    const id = `trial-${name}`;
    const attributes = { id, class: `input${rows ? ' mono' : ''}`, 'data-focus': `trial/${name}`, autocomplete: 'off', spellcheck: 'false' };
    const input =
      list.length > 0
        ? h('select', attributes, ...list.map((one) => h('option', { value: one }, one)))
        : rows
          ? h('textarea', { ...attributes, rows })
          : h('input', attributes);
    input.value = this.draft.get(name) ?? otherwise;
    if (list.length > 0 && !list.includes(input.value)) input.value = list[0]!;
    input.addEventListener('input', () => this.draft.set(name, input.value));
    return h('div', { class: 'field' }, h('label', { for: id }, label), input);
  }

  private typed(name: string, otherwise: string): string {
    return this.draft.get(name) ?? otherwise;
  }

  private drawClock({ now, nextDue }: Trial): HTMLElement {
    const time = h('time', { datetime: now, title: now, 'data-testid': 'trial-now' }, new Date(now).toLocaleString());
    const until = nextDue && inWords(Date.parse(nextDue) - Date.parse(now));
    const next = this.button(
      nextDue ? `Skip to the next timer (in ${until})` : 'No timer is armed',
      'next',
      () => nextDue && this.move({ to: 'next' }),
    );
    if (!nextDue) next.setAttribute('aria-disabled', 'true');
    next.classList.toggle('off', !nextDue);
    const advance = () => {
      const span = this.typed('advance', 'PT1H').trim();
      const wrong = span ? isDuration(span) : 'expected an ISO 8601 duration such as PT1H, but it is empty; write one';
      if (wrong) return this.say(wrong);
      this.move({ advance: span });
    };
    return h(
      'section',
      { class: 'trial-part', 'aria-label': 'Clock' },
      h('p', {}, 'It is ', time, '. The clock stands still until you move it.'),
      h('div', { class: 'row' }, next),
      h('div', { class: 'row end' }, this.input('advance', 'Advance by', 'PT1H'), this.button('Advance', 'advance', advance)),
    );
  }

  private drawUsers(): HTMLElement {
    const select = h('select', { id: 'trial-user', class: 'input', 'data-focus': 'trial/user', 'data-testid': 'trial-user' });
    const words = ({ name, roles }: Player) => (roles.length > 0 ? `${name} (${roles.join(', ')})` : name);
    select.append(...this.players.map((player, index) => h('option', { value: index }, words(player))));
    select.value = String(this.player);
    select.addEventListener('change', () => {
      this.player = Number(select.value);
      void this.step(LOOK, async () => undefined);
    });
    const add = () => {
      const name = this.typed('name', '').trim();
      if (!name || this.players.some((player) => player.name === name))
        return this.say(`expected a name that no other user has, but ${name ? `there is a ${name}` : 'it is empty'}; write one`);
      const roles = this.typed('roles', '').split(/[\s,]+/).filter(Boolean);
      ['name', 'roles', 'add-user-open'].forEach((field) => this.draft.delete(field));
      this.addPlayer(name, roles);
      this.player = this.players.length - 1;
      void this.step(LOOK, async () => undefined);
    };
    return h(
      'section',
      { class: 'trial-part', 'aria-label': 'Users' },
      h('div', { class: 'field' }, h('label', { for: 'trial-user' }, 'You are'), select),
      this.fold(
        'add-user',
        {},
        h('summary', { 'data-focus': 'trial/users' }, 'Add a user'),
        h('div', { class: 'row end' }, this.input('name', 'User', ''), this.input('roles', 'Roles', '')),
        this.button('Add', 'add-user', add),
      ),
    );
  }

  private drawStart({ definitions }: Trial): HTMLElement {
    const { content, send } = drawStart(this.stage.model, this.fields, definitions.map(({ id }) => id), this.refusedStart, ({ process, data, condition }) =>
      this.start(process, data as JsonObject, condition ? { startCondition: condition } : {}),
    );
    const isFirst = this.trial!.instances.length === 0;
    const button = this.button('Start an instance', 'start', send, isFirst ? 'primary' : '');
    if (isFirst) return h('section', { class: 'trial-part', 'aria-label': 'Start' }, ...content, button);
    return this.fold(
      'another',
      { class: 'trial-part' },
      h('summary', { 'data-focus': 'trial/another' }, 'Start another instance'),
      h('div', { class: 'stack' }, ...content, button),
    );
  }

  /** A part that is unfolded by a click, and stays so when the panel is drawn again. */
  private fold(name: string, attributes: { class?: string }, ...children: Node[]): HTMLElement {
    const isOpen = this.typed(`${name}-open`, '') === 'true';
    const part = h('details', { ...attributes, 'data-open': name, open: isOpen }, ...children);
    part.addEventListener('toggle', () => this.draft.set(`${name}-open`, String(part.open)));
    return part;
  }

  private drawPublish(): HTMLElement[] {
    const drawn = drawPublish(this.stage.model, this.fields, (what) => this.publish(what));
    for (const part of drawn)
      part.addEventListener('toggle', () => this.draft.set('published-open', String((part as HTMLDetailsElement).open)));
    return drawn;
  }

  private drawInstances({ instances }: Trial): HTMLElement[] {
    if (instances.length === 0) return [];
    const words = ({ process, status, startedBy, parent, instance }: TriedInstance) =>
      `${parent ? '↳ ' : ''}${process}, ${status}, ${parent ? 'called' : `by ${startedBy}`} (${instance.slice(-4)})`;
    const select = h('select', { id: 'trial-instance', class: 'input', 'data-focus': 'trial/instance', 'data-testid': 'trial-instance' });
    select.append(...instances.map((one) => h('option', { value: one.instance }, words(one))));
    select.value = this.selected;
    select.addEventListener('change', () => {
      this.selected = select.value;
      void this.step(LOOK, async () => undefined);
    });
    const chosen = h(
      'section',
      { class: 'trial-part', 'aria-label': 'Instances' },
      h('div', { class: 'field' }, h('label', { for: 'trial-instance' }, 'Instance'), select),
    );
    const key = `${this.who.name}/${this.selected}`;
    if (this.view?.key !== key) {
      this.view = new InstanceView(key, {
        player: this.who,
        instance: this.who.follow(this.processOf(this.selected), this.selected),
        command: (recorded, run) => this.command(recorded, run),
        start: (process, from) => this.start(process, {}, {}, from),
      });
      void this.showSelected().catch(() => undefined);
    }
    return [chosen, this.view.draw()];
  }

  private drawSave({ instances }: Trial): HTMLElement[] {
    if (instances.length === 0) return [];
    const save = h(
      'section',
      { class: 'trial-part', 'aria-label': 'Scenario' },
      h('p', { class: 'hint' }, `${this.recording.length} steps are recorded. stepwire test replays the file.`),
      h(
        'div',
        { class: 'row' },
        this.button('Save as scenario', 'save', () => this.saveScenario(true)),
        this.button('Save with models beside it', 'save-beside', () => this.saveScenario(false)),
      ),
    );
    return [save];
  }
}

/** A span of time in words: its two largest units. */
function inWords(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const units: [number, string][] = [[Math.floor(seconds / 86_400), 'D'], [Math.floor(seconds / 3600) % 24, 'H'], [Math.floor(seconds / 60) % 60, 'M'], [seconds % 60, 'S']];
  const [first = [0, 'S'], second] = units.filter(([number]) => number > 0);
  const parts = [first, ...(second ? [second] : [])] as [number, string][];
  const days = parts.filter(([, unit]) => unit === 'D').map(([number]) => `${number}D`).join('');
  const rest = parts.filter(([, unit]) => unit !== 'D').map(([number, unit]) => `${number}${unit}`).join('');
  return durationInWords(`P${days}${rest && `T${rest}`}`) ?? `${seconds} seconds`;
}
