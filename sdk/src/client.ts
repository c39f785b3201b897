import { type ActionMessage, pick } from './action-message.js';
import { Connection } from './connection.js';
import { StepwireError } from './error.js';
import type { ChildInfo, ClientFrame, InstanceFrame, ListFrame, ReplyFrame, ServerFrame, WelcomeFrame } from './frames.js';
import { Instance } from './instance.js';
import { InstanceList, TaskList } from './list.js';
import { Lists } from './lists.js';
import type {
  AnyClient,
  AnyProcesses,
  ConnectionStatus,
  ConnectOptions,
  ProcessShape,
  StartOf,
  StartOptions,
} from './options.js';
import type { Store } from './store.js';
import { uuidv7 } from './uuid.js';

interface Pending {
  frame: ClientFrame;
  /** Whether a new connection sends it again. Subscriptions are not: `hello` names them. */
  resend: boolean;
  resolve: (reply: ReplyFrame) => void;
  reject: (error: StepwireError) => void;
}

type Shape<P, K extends keyof P> = P[K] extends ProcessShape ? P[K] : ProcessShape;

/** Connects at once, and keeps connected until {@link Client.close}. */
export function connect<P extends { [K in keyof P]: ProcessShape } = AnyProcesses>(options: ConnectOptions): Client<P> {
  return new Client<P>(options);
}

/** One connection to the server, and all instances followed through it. */
export class Client<P extends { [K in keyof P]: ProcessShape } = AnyProcesses> {
  readonly status: Store<ConnectionStatus>;
  private readonly connection: Connection;
  private readonly pending = new Map<string, Pending>();
  private readonly instances = new Map<string, Instance>();
  /** @internal */
  readonly lists = new Lists(this as unknown as AnyClient);
  /** Whether frames can be sent now; until then they wait in `pending`. @internal */
  ready = false;
  private ended: StepwireError | undefined;
  private maxMessageBytes = Infinity;
  /** The instance whose snapshot came last among those the app opened: descendants' snapshots follow their root's. */
  private lastRoot: Instance | undefined;

  constructor(private readonly options: ConnectOptions) {
    this.connection = new Connection(options, this);
    this.status = this.connection.status;
  }

  /** Starts a process and follows it from its first record. */
  async start<K extends keyof P & string>(process: K, options: StartOptions<StartOf<P[K]>> = {}): Promise<Instance<Shape<P, K>>> {
    const instance = await this.startInstance(process, options);
    instance.uses += 1;
    instance.deliverSoon();
    return instance as unknown as Instance<Shape<P, K>>;
  }

  /** Follows an instance by its key. All that ask for the same key share one object and one subscription. */
  instance<K extends keyof P & string>(process: K, key: string): Instance<Shape<P, K>> {
    const known = this.instances.get(key);
    const instance = known ?? this.add(key, process, undefined);
    instance.uses += 1;
    if (known) instance.deliverSoon();
    else if (this.ready) this.subscribe(instance);
    return instance as unknown as Instance<Shape<P, K>>;
  }

  /** Follows the tasks of this user. All that ask share one list; each closes it once. */
  tasks(): TaskList {
    return this.lists.open(new TaskList(this as unknown as AnyClient));
  }

  /** Follows the instances of a process, or with `*` of all; needs role operator or admin. Shared like {@link tasks}. */
  process(id: (keyof P & string) | '*'): InstanceList {
    return this.lists.open(new InstanceList(this as unknown as AnyClient, id));
  }

  /** Sends any command of the protocol and resolves to its reply. */
  command(frame: Omit<ClientFrame, 'id'> & { type: string; id?: string }, resend = true): Promise<ReplyFrame> {
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(this.ended);
      const id = frame.id ?? uuidv7(this.connection.platform.now());
      const pending = { frame: { ...frame, id } as ClientFrame, resend, resolve, reject };
      this.pending.set(id, pending);
      if (this.ready) this.transmit(id, pending);
    });
  }

  /** Ends the connection. Unanswered commands reject with `closed`, though the server may have got them. */
  close(): void {
    if (this.ended) return;
    this.connection.stop(new StepwireError({ code: 'closed', message: 'the client was closed' }), 'offline');
  }

  /** @internal */
  resume(): { instance: string; after: number }[] {
    const followed = [...this.instances.values()].filter(({ cursor }) => cursor !== undefined);
    return followed.map(({ key, cursor }) => ({ instance: key, after: cursor! }));
  }

  /** @internal */
  welcomed(welcome: WelcomeFrame): void {
    this.maxMessageBytes = welcome.maxMessageBytes ?? Infinity;
    this.ready = true;
    for (const [id, pending] of [...this.pending]) this.transmit(id, pending);
    for (const instance of this.instances.values()) {
      if (instance.cursor === undefined && instance.uses > 0) this.subscribe(instance);
    }
    this.lists.welcomed();
  }

  /** @internal */
  received(frame: ServerFrame): void {
    if (frame.type === 'reply') this.take(frame.id)?.resolve(frame);
    else if (frame.type === 'error') {
      const error = new StepwireError(frame);
      if (frame.id !== undefined) this.take(frame.id)?.reject(error);
      if (frame.channel?.startsWith('instance/')) this.drop(frame.channel.slice(9), error);
      else if (frame.channel !== undefined && frame.id === undefined) this.lists.refused(frame.channel, error);
    } else this.route(frame as InstanceFrame | ListFrame);
  }

  /** @internal */
  lost(code: number): void {
    this.ready = false;
    for (const [id, { resend, reject }] of [...this.pending]) {
      // A message that is too big would end the next connection too; a subscription never is.
      const tooLarge = resend && code === 1009;
      if (resend && !tooLarge) continue;
      this.pending.delete(id);
      reject(new StepwireError({ code: tooLarge ? 'too_large' : 'closed', message: `the connection closed with ${code}` }));
    }
    this.instances.forEach((instance) => instance.reset(instance.cursor));
    this.lists.lost();
  }

  /** @internal */
  stopped(error: StepwireError): void {
    this.ended = error;
    this.ready = false;
    const waiting = [...this.pending.values()];
    this.pending.clear();
    waiting.forEach(({ reject }) => reject(error));
    const followed = [...this.instances.values()];
    this.instances.clear();
    followed.forEach((instance) => (error.code === 'closed' ? instance.settle(Infinity) : instance.fail(error)));
    this.lists.stopped(error);
  }

  /** @internal */
  subscribe(instance: Instance): void {
    const { key, cursor } = instance;
    const frame = { type: 'subscribe', channel: `instance/${key}`, after: cursor, tree: true };
    this.command(frame, false).catch((error: StepwireError) => {
      if (error.code !== 'closed') this.drop(key, error);
    });
  }

  /** @internal */
  release(instance: Instance): void {
    instance.uses -= 1;
    if (instance.uses > 0 || instance.parent !== undefined || !this.follows(instance)) return;
    const tree = [instance];
    for (const member of tree) tree.push(...member.children.get());
    tree.filter(({ uses }) => uses <= 0).forEach((member) => this.forget(member));
    // What the app opened itself stays, and stands on its own from now on.
    const kept = tree.filter((member) => this.follows(member));
    kept.forEach((member) => (member.parent = undefined));
    if (!this.ready) return;
    this.command({ type: 'unsubscribe', channel: `instance/${instance.key}` }, false).catch(() => undefined);
    kept.forEach((member) => this.subscribe(member));
  }

  /** @internal */
  follows(instance: Instance): boolean {
    return this.instances.get(instance.key) === instance;
  }

  /** @internal */
  announce(parent: Instance, info: ChildInfo): void {
    parent.addChild(this.instances.get(info.instance) ?? this.add(info.instance, info.process, undefined), info);
  }

  /** @internal */
  handleAction(message: ActionMessage): boolean {
    return this.options.onAction?.(message) === true;
  }

  /** @internal */
  async inherit(parent: Instance, { seq }: ActionMessage, asked: { process: string; dataKeys: string[] }): Promise<void> {
    const { clientData = {} } = this.options;
    const values = typeof clientData === 'function' ? clientData() : clientData;
    const inheritFrom = { instance: parent.key, seq };
    const child = await this.startInstance(asked.process, { data: pick(values, asked.dataKeys), inheritFrom });
    parent.addChild(child);
    child.deliverSoon();
  }

  /** @internal */
  later(run: () => void): void {
    this.connection.platform.setTimer(run, 0);
  }

  private async startInstance(process: string, options: StartOptions<unknown>): Promise<Instance> {
    const { id, data = {}, startCondition, businessKey, inheritFrom, test } = options;
    const anonymous = !this.options.getToken && this.connection.tokens.get() === undefined;
    const nonce = anonymous ? secret() : undefined;
    const { result } = await this.command({
      type: 'start',
      id,
      process,
      data,
      startCondition,
      businessKey,
      inheritFrom,
      test,
      subscribe: true,
      nonce,
    });
    const key = result.instance!;
    if (result.token !== undefined) {
      this.connection.tokens.set(result.token, key);
      this.options.onToken?.(result.token, key);
    }
    const known = this.instances.get(key);
    const instance = known ?? this.add(key, process, undefined);
    instance.process ??= process;
    // A repeat after a lost answer: the frames went to the connection that is gone.
    if (!known) this.subscribe(instance);
    return instance;
  }

  private transmit(id: string, { frame, reject }: Pending): void {
    const bytes = new TextEncoder().encode(JSON.stringify(frame)).length;
    if (bytes <= this.maxMessageBytes) return this.connection.send(frame);
    this.pending.delete(id);
    const message = `expected a message of at most ${this.maxMessageBytes} bytes, but it has ${bytes}`;
    reject(new StepwireError({ code: 'too_large', message }));
  }

  private take(id: string): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    return pending;
  }

  private route(frame: InstanceFrame | ListFrame): void {
    if (!isOfInstance(frame)) return this.lists.receive(frame);
    const key = frame.channel.slice(9);
    let instance = this.instances.get(key);
    if (!instance) {
      // Only a snapshot or a first frame makes an instance; anything else is late news of one that was closed.
      const first = frame.type === 'snapshot' || ('prev' in frame && frame.prev === 0);
      if (!first) return;
      instance = this.add(key, undefined, frame.type === 'snapshot' ? undefined : 0);
      if (frame.type === 'snapshot') this.parentOf(frame.parent)?.addChild(instance);
    }
    if (frame.type === 'snapshot' && instance.uses > 0) this.lastRoot = instance;
    instance.receive(frame);
  }

  private parentOf(key: string | null | undefined): Instance | undefined {
    return (key ? this.instances.get(key) : undefined) ?? this.lastRoot;
  }

  private add(key: string, process: string | undefined, cursor: number | undefined): Instance {
    const instance = new Instance(this as unknown as AnyClient, key, process);
    instance.reset(cursor);
    this.instances.set(key, instance);
    return instance;
  }

  private drop(key: string, error: StepwireError): void {
    const instance = this.instances.get(key);
    if (!instance) return;
    this.forget(instance);
    instance.fail(error);
  }

  private forget(instance: Instance): void {
    this.instances.delete(instance.key);
    instance.settle(Infinity);
    if (this.lastRoot === instance) this.lastRoot = undefined;
  }

}

/** Frames of unknown types have any channel, or none. */
function isOfInstance(frame: InstanceFrame | ListFrame): frame is InstanceFrame {
  return frame.channel?.startsWith('instance/') === true;
}

function secret(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
