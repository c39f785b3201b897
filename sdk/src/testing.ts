/**
 * A server in memory, for unit tests of apps and of this client: it speaks enough of the protocol to play instances by hand.
 * Nothing happens by itself: {@link FakeServer.advance} transmits frames and lets time pass.
 */
import type { Client } from './client.js';
import type { ErrorDetails } from './error.js';
import type { AvailableAction, ChildInfo, ClientFrame, InstanceInfo, JsonObject, NumberedFrame, Published, Step, TaskInfo } from './frames.js';
import { merge } from './merge.js';
import type { Platform, Socket } from './platform.js';

/** A frame as written in a test: the server adds its channel and numbers. */
type Sent<Type extends NumberedFrame['type']> = Omit<Extract<NumberedFrame, { type: Type }>, 'seq' | 'prev' | 'channel' | 'instance' | 'cause'> & {
  cause?: string | undefined;
};

/** Default values of an action. */
const ACTION: Omit<AvailableAction, 'name'> = {
  element: 'element-1',
  node: 'node',
  order: 1,
  type: 'saveData',
  required: 'mandatory',
  repeatable: false,
  back: false,
  keys: [],
  requiredKeys: [],
};

/** What {@link FakeServer.onRun} passes to a test. */
export interface FakeRun {
  instance: FakeInstance;
  data: JsonObject;
  /** The id of the command, which is the `cause` of its effects. */
  id: string;
  element: string | undefined;
}

type Answer = (frame: ClientFrame, connection: FakeConnection) => void;
type Recorded = JsonObject & { type: string; seq: number };

/** One websocket of the client, seen from the server. */
export class FakeConnection implements Socket {
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onerror: Socket['onerror'] = null;
  onclose: Socket['onclose'] = null;
  /** The close code that the client sent. */
  closedWith: number | undefined;
  open = true;
  /** Whether the client asked for the schemas of actions. */
  describes = false;
  /** Instance key → number of the last frame sent. */
  readonly cursors = new Map<string, number>();
  /** Number of messages allowed now, as of `filled`. */
  private level = Infinity;
  private filled = 0;

  constructor(
    private readonly server: FakeServer,
    readonly url: string,
  ) {
    this.level = server.rate?.burst ?? Infinity;
    this.filled = server.now;
  }

  /** Called by the client. */
  send(text: string): void {
    if (this.open) this.server.later(() => this.receive(text));
  }

  private receive(text: string): void {
    const frame = JSON.parse(text) as ClientFrame;
    const { rate, helloBytes, messageBytes } = this.server;
    if (new TextEncoder().encode(text).length > (frame.type === 'hello' ? helloBytes : messageBytes)) return this.drop(1009);
    const { perSecond, burst } = rate ?? { perSecond: 0, burst: Infinity };
    this.level = Math.min(burst, this.level + ((this.server.now - this.filled) * perSecond) / 1000);
    this.filled = this.server.now;
    if (this.level < 1) {
      const afterMs = Math.ceil(((1 - this.level) * 1000) / perSecond);
      this.server.limited += 1;
      return this.push({ type: 'error', id: frame.id, code: 'rate_limited', message: 'too fast', retryable: true, afterMs });
    }
    this.level -= 1;
    this.server.take(frame, this);
  }

  /** Called by the client. */
  close(code?: number): void {
    this.closedWith = code;
    this.open = false;
  }

  /** Sends a frame to the client. */
  push(frame: JsonObject): void {
    const copy = JSON.stringify(frame);
    this.server.later(() => this.open && this.onmessage?.({ data: copy }));
  }

  /** Closes the connection from the server's side. */
  drop(code = 1006, reason = ''): void {
    this.server.later(() => {
      this.open = false;
      this.onclose?.({ code, reason });
    });
  }
}

/** An instance whose log is written by the test. */
export class FakeInstance {
  readonly log: Recorded[] = [];
  step: Step = { status: 'started', nodes: [], actions: [] };
  /** The view in a snapshot. */
  view: JsonObject = {};

  constructor(
    private readonly server: FakeServer,
    readonly key: string,
  ) {}

  /** Adds a frame (`{type: 'data', body}`, …) to the log, and sends it to the connections that follow. */
  push(frame: JsonObject & { type: string }): number {
    const seq = this.log.length + 1;
    this.log.push({ instance: this.key, ...frame, seq });
    this.server.connections.filter(({ open }) => open).forEach((connection) => this.replay(connection));
    return seq;
  }

  /** Changes the step and sends it; `cause` is the id of the command that caused it. */
  progress(step: Partial<Step>, cause?: string): number {
    this.step = { ...this.step, ...step };
    return this.push({ type: 'progress', ...this.step, cause } satisfies Sent<'progress'>);
  }

  /** A Data message: merged into the view, as the client does. */
  data(body: JsonObject, cause?: string): number {
    this.view = merge(this.view, body) as JsonObject;
    return this.push({ type: 'data', body, node: 'node', action: 'message', cause } satisfies Sent<'data'>);
  }

  /** An Action message, such as one that asks for a process. */
  ask(body: JsonObject): number {
    return this.push({ type: 'action', body, node: 'node' } satisfies Sent<'action'>);
  }

  /** A child, whose own instance is controlled by `server.instance(key)`. */
  child(instance: string, process: string, status: ChildInfo['status'] = 'started'): number {
    return this.push({ type: 'child', child: { instance, process, status } } satisfies Sent<'child'>);
  }

  /**
   * Offers an action, in place of one with the same name and element, and sends the change. `schema` is that of its data, for a
   * client that asked for schemas.
   */
  offer(name: string, { schema, ...more }: Partial<AvailableAction> = {}): number {
    const id = schema && `schema-${JSON.stringify(schema).length}-${name}`;
    if (schema) this.server.describe(id!, schema);
    const action = { ...ACTION, name, ...more, ...(id && { schema: id as never }) };
    const others = this.step.actions.filter((other) => other.name !== name || other.element !== action.element);
    return this.progress({ actions: [...others, action] });
  }

  /** Withdraws an action, and sends the change. */
  withdraw(name: string, cause?: string): number {
    return this.progress({ actions: this.step.actions.filter((action) => action.name !== name) }, cause);
  }

  /** Sends everything after the connection's cursor. */
  replay(connection: FakeConnection): void {
    const prev = connection.cursors.get(this.key);
    if (prev === undefined) return;
    for (const record of this.log.slice(prev)) {
      connection.push({ ...record, channel: `instance/${this.key}`, prev: record.seq - 1 });
    }
    connection.cursors.set(this.key, this.log.length);
  }

  /** Sends a snapshot and continues from it. */
  snapshot(connection: FakeConnection, more: JsonObject = {}): void {
    const seq = this.log.length;
    connection.cursors.set(this.key, seq);
    connection.push({ type: 'snapshot', channel: `instance/${this.key}`, seq, view: this.view, open: [], ...this.step, ...more });
  }
}

/** A list (`tasks`, `process/ID`) whose lines are written by the test, newest first. */
export class FakeList<Line extends TaskInfo | InstanceInfo> {
  lines: Line[] = [];
  more = false;
  /** Connection → number of its last frame. */
  private readonly followers = new Map<FakeConnection, number>();

  constructor(private readonly channel: string) {}

  /** Sends a snapshot and continues from it. */
  snapshot(connection: FakeConnection): void {
    this.followers.set(connection, 0);
    const lines = { [this.channel === 'tasks' ? 'tasks' : 'instances']: this.lines };
    connection.push({ type: 'snapshot', channel: this.channel, seq: 0, ...lines, more: this.more });
  }

  /** Sends a frame (`{type: 'tasks', set, removed}`, `{type: 'instance', …}`) to the connections that follow. */
  push(frame: JsonObject & { type: string }): void {
    for (const [connection, prev] of this.followers) {
      this.followers.set(connection, prev + 1);
      connection.push({ channel: this.channel, seq: prev + 1, prev, ...frame });
    }
  }

  /** @internal */
  leave(connection: FakeConnection): void {
    this.followers.delete(connection);
  }
}

/** The server: pass its `platform` to `connect`. */
export class FakeServer {
  readonly connections: FakeConnection[] = [];
  /** Every received frame, over all connections. */
  readonly received: ClientFrame[] = [];
  readonly instances = new Map<string, FakeInstance>();
  readonly tasks = new FakeList<TaskInfo>('tasks');
  private readonly processes = new Map<string, FakeList<InstanceInfo>>();
  now = Date.UTC(2030, 0, 1);
  online = true;
  /** The rate limit of a connection, as in the real server; it is named in `welcome`. */
  rate: { perSecond: number; burst: number } | undefined;
  /** The longest `hello`, and the longest other message; a longer one closes the connection with 1009. */
  helloBytes = 128 * 1024;
  messageBytes = 64 * 1024;
  private readonly schemas: Record<string, JsonObject> = {};
  /** How many messages were refused because of the rate. */
  limited = 0;
  random = 0.5;
  private readonly answers = new Map<string, Answer>();
  private timers: { at: number; run: () => void }[] = [];
  private queue: (() => void)[] = [];
  private readonly wakers = new Set<() => void>();

  readonly platform: Platform = {
    _open: (url) => {
      const connection = new FakeConnection(this, url);
      this.connections.push(connection);
      this.later(() => connection.open && connection.onopen?.());
      return connection;
    },
    _setTimer: (run, ms) => {
      const timer = { at: this.now + ms, run };
      this.timers.push(timer);
      return timer;
    },
    _clearTimer: (timer) => void (this.timers = this.timers.filter((other) => other !== timer)),
    _now: () => this.now,
    _random: () => this.random,
    _online: () => this.online,
    _onWake: (run) => {
      this.wakers.add(run);
      return () => void this.wakers.delete(run);
    },
  };

  /** The newest connection. */
  get connection(): FakeConnection {
    const last = this.connections.at(-1);
    if (!last) throw new Error('expected a connection, but the client has not made one yet');
    return last;
  }

  /** Replaces the answer to frames of a type. */
  on(type: string, answer: Answer): void {
    this.answers.set(type, answer);
  }

  /**
   * Defines an action: `play` performs its effects (`instance.data(…, id)`, `instance.withdraw(…, id)`), and may return why it is
   * refused. The reply is sent automatically.
   */
  onRun(action: string, play: (run: FakeRun) => Partial<ErrorDetails> | void): void {
    const before = this.answers.get('run');
    this.on('run', (frame, connection) => {
      if (frame.action !== action) return before ? before(frame, connection) : this.answer(frame, connection);
      const instance = this.instance(String(frame.instance));
      const id = frame.id!;
      const element = frame.element as string | undefined;
      const refusal = play({ instance, data: (frame.data ?? {}) as JsonObject, id, element });
      if (refusal) connection.push({ type: 'error', id, code: 'internal', message: 'refused by the test', retryable: false, ...refusal });
      else this.answer(frame, connection);
    });
  }

  /** Sends a schema to the connections that asked for schemas, now and later. @internal */
  describe(name: string, schema: JsonObject): void {
    this.schemas[name] = schema;
    this.connections.filter(({ open, describes }) => open && describes).forEach((connection) => this.tellSchemas(connection));
  }

  private tellSchemas(connection: FakeConnection): void {
    connection.push({ type: 'schemas', schemas: this.schemas });
  }

  /** An instance that the client may start or follow. */
  instance(key: string): FakeInstance {
    const instance = this.instances.get(key) ?? new FakeInstance(this, key);
    this.instances.set(key, instance);
    return instance;
  }

  /** The list of a process's instances, or with `*` of all. */
  process(id: string): FakeList<InstanceInfo> {
    const list = this.processes.get(id) ?? new FakeList<InstanceInfo>(`process/${id}`);
    this.processes.set(id, list);
    return list;
  }

  /** Received frames of a type. */
  sent(type: string): ClientFrame[] {
    return this.received.filter((frame) => frame.type === type);
  }

  /** The network of the device is back, or the page became visible. */
  wake(): void {
    [...this.wakers].forEach((run) => run());
  }

  /** Transmits all frames, and lets `ms` pass, timer by timer. */
  async advance(ms = 0): Promise<void> {
    const end = this.now + ms;
    await this.settle();
    for (;;) {
      const due = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.platform._clearTimer(due);
      this.now = Math.max(this.now, due.at);
      due.run();
      await this.settle();
    }
    this.now = end;
  }

  /** @internal */
  later(run: () => void): void {
    this.queue.push(run);
  }

  /** @internal */
  take(frame: ClientFrame, connection: FakeConnection): void {
    this.received.push(frame);
    const answer = this.answers.get(frame.type) ?? ((sent, to) => this.answer(sent, to));
    answer(frame, connection);
  }

  /** The default answer, with which a replaced one may end. */
  answer(frame: ClientFrame, connection: FakeConnection): void {
    if (frame.type === 'hello') return this.hello(frame, connection);
    if (frame.type === 'pong') return;
    const list = this.listOf(frame.channel);
    if (list && frame.type === 'subscribe') list.snapshot(connection);
    if (list && frame.type === 'unsubscribe') list.leave(connection);
    if (list) return connection.push({ type: 'reply', id: frame.id, seq: 0, result: {} });
    if (frame.type === 'auth') return connection.push({ type: 'reply', id: frame.id, result: {} });
    const published = { instances: [], started: [] } satisfies Published;
    if (frame.type === 'publish') return connection.push({ type: 'reply', id: frame.id, result: published });
    const key = frame.type === 'start' ? `key-${String(frame.process)}` : keyOf(frame);
    const follows = frame.type === 'start' && frame.subscribe !== false && !connection.cursors.has(key);
    if (follows) connection.cursors.set(key, 0);
    const instance = this.instance(key);
    if (frame.type === 'subscribe' && frame.after === undefined) instance.snapshot(connection);
    else if (frame.type === 'subscribe') connection.cursors.set(key, Number(frame.after));
    else if (frame.type === 'unsubscribe') connection.cursors.delete(key);
    instance.replay(connection);
    const result = frame.type === 'start' ? { instance: key, ...instance.step } : {};
    connection.push({ type: 'reply', id: frame.id, seq: instance.log.length, result });
  }

  private listOf(channel: unknown): FakeList<TaskInfo> | FakeList<InstanceInfo> | undefined {
    if (channel === 'tasks') return this.tasks;
    return typeof channel === 'string' && channel.startsWith('process/') ? this.process(channel.slice(8)) : undefined;
  }

  private hello(frame: ClientFrame, connection: FakeConnection): void {
    const { rate, messageBytes: maxMessageBytes } = this;
    connection.push({ type: 'welcome', connection: 'c', user: 'u', log: 'log-1', pingSeconds: 25, maxMessageBytes, rate });
    connection.describes = frame.schemas === true;
    if (connection.describes && Object.keys(this.schemas).length > 0) this.tellSchemas(connection);
    for (const { instance, after } of (frame.resume ?? []) as { instance: string; after: number }[]) {
      connection.cursors.set(instance, after);
      this.instance(instance).replay(connection);
      connection.push({ type: 'live', channel: `instance/${instance}`, seq: this.instance(instance).log.length });
    }
  }

  private async settle(): Promise<void> {
    // Microtasks may queue frames and frames may resolve promises: repeat until neither happens.
    for (let quiet = 0; quiet < 10;) {
      const run = this.queue.shift();
      run?.();
      await Promise.resolve();
      quiet = run ? 0 : quiet + 1;
    }
  }
}

/** The process time of a running server. */
export interface TestClock {
  /** Lets this much time pass (an ISO 8601 duration). Resolves to the time afterwards, once everything that became due is done. */
  advance(duration: string): Promise<Date>;
  /** Sets the time. Resolves like {@link TestClock.advance}. */
  set(time: Date): Promise<Date>;
  /** Resolves when nothing is in progress and no timer is due. */
  idle(): Promise<void>;
}

/** The clock of a server that runs with `--test-clock`, for tests of an app against it. The client has role `server-operator`. */
export function testClock(client: Pick<Client, 'command'>): TestClock {
  const idle = async () => void (await client.command({ type: 'idle' }));
  const move = async (to: { advance: string } | { set: string }) => {
    const { result } = await client.command({ type: 'clock', ...to });
    await idle();
    return new Date((result as { now: string }).now);
  };
  return { advance: (advance) => move({ advance }), set: (time) => move({ set: time.toISOString() }), idle };
}

function keyOf(frame: ClientFrame): string {
  return String(frame.instance ?? frame.channel).replace('instance/', '');
}
