/** The playground: frames written by hand or by a script, the log of all transmitted frames, and scenarios recorded from it. */
import { type Client, connect, type Direction, type Instance, type JsonObject, StepwireError } from '@stepwire/client';
import { frameLog } from '@stepwire/client/debug';
import { visitor } from '@stepwire/client/visitor';
import { saveText } from '../admin/definitions.js';
import { getJson, ticketUrl } from '../admin/rest.js';
import { showConnection } from '../connection-badge.js';
import { Wire } from '../demo/wire.js';
import { batched, byId, h, redraw } from '../dom.js';
import type { ScenarioFile } from '../recording.js';
import { Recorder, type Sender } from './recorder.js';
import { filled, fits, read } from './script.js';
import { save, saved } from './saved-scripts.js';

/** How long a script waits for a frame, and for an answer, in milliseconds. */
const WAIT_MS = 30_000;
const INSTANCE = 'instance/';

const EXAMPLE = `# Frames, one after the other; each waits for its answer.
# $instance is the instance started last, $element its active element, $child its newest subprocess.
{"type": "start", "process": "onboarding"}
{"wait": {"type": "progress"}}
`;

export class Playground {
  private readonly user: string;
  private readonly roles: readonly string[];
  private client: Client | undefined;
  private who: Sender = { name: '' };
  /** Instances of this connection, in the order of their names. */
  private followed: Instance[] = [];
  private recorder: Recorder | undefined;
  private running = false;
  /** The frames for which a script waits. */
  private waiting: { pattern: unknown; done: () => void }[] = [];
  /** Frames received since the last command was sent: a `wait` may be for one of them. */
  private recent: JsonObject[] = [];

  private readonly identity = byId<HTMLSelectElement>('identity');
  private readonly token = byId<HTMLInputElement>('token');
  private readonly script = byId<HTMLTextAreaElement>('script');
  private readonly scripts = byId<HTMLSelectElement>('scripts');
  private readonly scriptName = byId<HTMLInputElement>('script-name');
  private readonly said = byId('said');
  private readonly wire = new Wire(() => undefined);
  private readonly refresh = batched(() => this.draw());

  constructor({ user = '', roles = '' }: DOMStringMap) {
    this.user = user;
    this.roles = roles.split(' ').filter(Boolean);
    this.script.value = EXAMPLE;
    byId('log').append(this.wire.root);
    const on = (id: string, run: () => unknown) => byId(id).addEventListener('click', () => void run());
    on('connect', () => (this.client ? this.disconnect() : this.connect()));
    on('send', () => this.play());
    on('record', () => (this.recorder ? this.stopRecording() : this.record()));
    on('save-script', () => this.saveScript());
    on('drop-script', () => this.dropScript());
    this.scripts.addEventListener('change', () => this.openScript());
    this.identity.addEventListener('change', () => this.refresh());
    this.script.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void this.play();
    });
    this.listScripts();
    this.draw();
  }

  private say(words: string): void {
    this.said.textContent = words;
  }

  // The connection.

  private connect(): void {
    const identity = this.identity.value;
    const token = this.token.value.trim();
    const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/v1/ws`;
    const log = frameLog((direction, frame) => this.saw(direction, frame));
    const shared = { client: 'playground/1', schemas: true, debug: log };
    if (identity === 'me') {
      this.who = { name: this.user, roles: this.roles };
      this.client = connect({ ...shared, url: ticketUrl });
    } else if (identity === 'token') {
      if (!token) return this.say('expected a token, but there is none; paste one, or connect as somebody else');
      this.who = senderOf(token);
      this.client = connect({ ...shared, url, getToken: () => token });
    } else {
      this.who = { name: 'visitor' };
      this.client = connect({ ...shared, url, visitor: visitor() });
    }
    this.followed = [];
    this.recent = [];
    const badge = byId('connection');
    badge.hidden = false;
    showConnection(badge, this.client);
    const { client } = this;
    client.lastError.subscribe((error) => client === this.client && error && this.say(error.message));
    client.status.subscribe((status) => {
      if (client === this.client && /^(closed|signedOut)$/.test(status)) this.disconnect();
    });
    this.say('');
    this.draw();
  }

  private disconnect(): void {
    const { client } = this;
    this.client = undefined;
    client?.close();
    if (this.recorder) void this.stopRecording();
    this.draw();
  }

  /** Called with every frame. */
  private saw(direction: Direction, frame: JsonObject): void {
    this.wire.add(direction, frame);
    if (direction === 'out') return;
    this.recent.push(frame);
    if (this.recent.length > 1_000) this.recent.shift();
    this.waiting.filter(({ pattern }) => fits(frame, pattern)).forEach(({ done }) => done());
    const { channel, cause } = frame as { channel?: string; cause?: string };
    if (!channel?.startsWith(INSTANCE)) return;
    // The client processes the frame right after this.
    queueMicrotask(() => {
      const instance = this.instanceOf(channel.slice(INSTANCE.length));
      if (instance && !cause && /^(data|action|child|progress|view)$/.test(String(frame.type))) this.recorder?.came(instance);
    });
    this.refresh();
  }

  // Instances.

  private instanceOf(key: string): Instance | undefined {
    const all = this.followed.flatMap((one) => [one, ...one.children.get()]);
    return all.find((one) => one.key === key);
  }

  private follow(process: string, key: string): Instance | undefined {
    const known = this.instanceOf(key);
    if (known || !this.client) return known;
    const instance = this.client.instance(process, key);
    this.followed.push(instance);
    for (const store of [instance.actions, instance.nodes, instance.status, instance.error, instance.children]) store.subscribe(this.refresh);
    return instance;
  }

  /** The values of `$names`. */
  private values(): Record<string, unknown> {
    const instance = this.followed.at(-1);
    const child = instance?.children.get().at(-1);
    return {
      instance: instance?.key,
      element: instance?.nodes.get()[0]?.element,
      child: child?.key,
      childElement: child?.nodes.get()[0]?.element,
      me: this.who.name,
    };
  }

  // Scripts.

  private async play(): Promise<void> {
    if (this.running) return;
    if (!this.client) this.connect();
    if (!this.client) return;
    this.running = true;
    this.say('');
    this.draw();
    let done = 0;
    try {
      const steps = read(this.script.value);
      for (const step of steps) {
        if ('wait' in step) await this.wait(filled(step.wait, this.values()));
        else await this.send(filled(step, this.values()) as JsonObject & { type: string });
        done += 1;
      }
      this.say(`${done} of ${steps.length} done.`);
    } catch (error) {
      this.say(error instanceof StepwireError ? `${error.code}: ${error.message}` : (error as Error).message);
    } finally {
      this.running = false;
      this.draw();
    }
  }

  /** Sends a frame and waits for its answer. */
  private async send(frame: JsonObject & { type: string }): Promise<void> {
    const { client } = this;
    if (!client) throw new Error('expected a connection, but it has ended');
    if (typeof frame.type !== 'string') throw new Error(`expected a frame with a 'type', or 'wait', but it is ${JSON.stringify(frame)}`);
    this.recent = [];
    const named = typeof frame.instance === 'string' ? this.follow('', frame.instance) : undefined;
    this.recorder?.sends(frame, named);
    try {
      const { result } = await client.command(frame, { timeout: WAIT_MS });
      const about = frame.type === 'start' ? this.follow(String(frame.process), result.instance!) : named;
      this.recorder?.did(frame, about);
    } catch (error) {
      if (error instanceof StepwireError && !/^(timeout|closed)$/.test(error.code)) this.recorder?.did(frame, named, error);
      throw error;
    }
  }

  private wait(pattern: unknown): Promise<void> {
    if (this.recent.some((frame) => fits(frame, pattern))) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.waiting = this.waiting.filter((one) => one !== entry);
        reject(new Error(`expected a frame with ${JSON.stringify(pattern)}, but none came within ${WAIT_MS / 1000} s`));
      }, WAIT_MS);
      const entry = {
        pattern,
        done: () => {
          clearTimeout(late);
          this.waiting = this.waiting.filter((one) => one !== entry);
          resolve();
        },
      };
      this.waiting.push(entry);
    });
  }

  private listScripts(chosen = ''): void {
    const names = Object.keys(saved()).sort();
    const options = names.map((name) => h('option', { value: name, selected: name === chosen }, name));
    this.scripts.replaceChildren(h('option', { value: '' }, names.length > 0 ? 'Choose one' : 'None yet'), ...options);
  }

  private openScript(): void {
    const text = saved()[this.scripts.value];
    if (text === undefined) return;
    this.script.value = text;
    this.scriptName.value = this.scripts.value;
  }

  private saveScript(): void {
    const name = this.scriptName.value.trim();
    if (!name) return this.say('expected a name for the script, but there is none');
    try {
      save(name, this.script.value);
      this.say(`Saved in this browser as '${name}'.`);
    } catch (error) {
      this.say(`expected this browser to keep the script, but: ${(error as Error).message}`);
    }
    this.listScripts(name);
  }

  private dropScript(): void {
    const name = this.scripts.value;
    if (!name) return this.say('expected a chosen script, but there is none');
    save(name, undefined);
    this.listScripts();
    this.say(`'${name}' is deleted.`);
  }

  // Scenarios.

  private record(): void {
    if (!this.client) this.connect();
    if (!this.client) return;
    this.recorder = new Recorder((key) => this.instanceOf(key), this.who);
    this.draw();
  }

  private async stopRecording(): Promise<void> {
    const { recorder } = this;
    this.recorder = undefined;
    this.draw();
    if (!recorder || recorder.length === 0) return this.say('Nothing was sent, so nothing is recorded.');
    // Other users get the drawing only.
    const mayRead = this.roles.some((role) => /^(designer|operator|admin)$/.test(role));
    const read = mayRead ? await Promise.all(recorder.started.map(model)) : [];
    const files = read.filter((file) => file !== undefined);
    const inside = files.length === recorder.started.length;
    const beside = recorder.started.map((id) => ({ name: `${id}.bpmn` }));
    saveText('recorded.yaml', recorder.yaml(inside ? files : beside, inside), 'application/yaml');
    const names = beside.map(({ name }) => name).join(', ');
    this.say(
      inside
        ? 'recorded.yaml is saved; run it with stepwire test.'
        : `recorded.yaml is saved. You may not read the models: put ${names} beside it, then run it with stepwire test.`,
    );
  }

  // Drawing.

  private draw(): void {
    const button = byId<HTMLButtonElement>('connect');
    button.textContent = this.client ? 'Disconnect' : 'Connect';
    this.identity.disabled = Boolean(this.client);
    byId('token-field').hidden = this.identity.value !== 'token';
    byId('connection').hidden = !this.client;
    byId<HTMLButtonElement>('send').disabled = this.running;
    const record = byId('record');
    record.textContent = this.recorder ? 'Stop and save' : 'Record';
    record.setAttribute('aria-pressed', String(Boolean(this.recorder)));
    byId('recorded').textContent = this.recorder ? `Recording: ${this.recorder.length} steps` : '';
    const shown = this.followed.map((one) => this.drawInstance(one));
    redraw(byId('instances'), ...(shown.length > 0 ? shown : [h('p', { class: 'muted small' }, 'No instance is followed yet.')]));
  }

  /** An instance with buttons that write a frame into the script. */
  private drawInstance(instance: Instance): HTMLElement {
    const { key, process } = instance;
    const buttons = instance.actions.get().map((action) => {
      const { name, element, initial } = action;
      const frame = { type: 'run', instance: key, action: name, element, data: initial ?? Object.fromEntries(action.keys.map((path) => [path, null])) };
      const attributes = { type: 'button', class: 'button compact', 'data-focus': `insert/${key}/${name}`, 'data-action': name };
      return h('button', { ...attributes, onclick: () => this.insert(frame) }, `Write ${name}`);
    });
    const nodes = instance.nodes.get().map(({ node }) => node);
    const stands = instance.error.get()?.message ?? `${instance.status.get() ?? 'unknown'}${nodes.length > 0 ? ` at ${nodes.join(', ')}` : ''}`;
    const heading = h('p', {}, h('strong', {}, process ?? ''), ` ${stands}`);
    return h('div', { class: 'stack', 'data-instance': key, 'data-process': process ?? '' }, heading, h('div', { class: 'row' }, ...buttons));
  }

  private insert(frame: JsonObject): void {
    this.script.value = `${JSON.stringify(frame, null, 2)}\n`;
    this.script.focus();
  }
}

/** The user of a token, as far as it can be read. */
function senderOf(token: string): Sender {
  try {
    const claims = JSON.parse(atob(token.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/'))) as { sub?: string; roles?: string[] };
    return { name: claims.sub ?? 'user', roles: claims.roles ?? [] };
  } catch {
    return { name: 'user', roles: [] };
  }
}

/** The published model of a process; `undefined` if it cannot be loaded. */
async function model(id: string): Promise<ScenarioFile | undefined> {
  const place = `/v1/definitions/${encodeURIComponent(id)}`;
  const { versions = [] } = (await getJson<{ versions?: { version: number; state: string; format: string }[] }>(place)) ?? {};
  const published = versions.find(({ state }) => state === 'published');
  if (!published) return undefined;
  const source = `${place}/${published.version}`;
  if (published.format === 'json') return { name: `${id}.json`, json: await getJson<unknown>(source) };
  const xml = await fetch(source, { headers: { accept: 'application/xml' }, credentials: 'same-origin' });
  return xml.ok ? { name: `${id}.bpmn`, bpmn: await xml.text() } : undefined;
}
