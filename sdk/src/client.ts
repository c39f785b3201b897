import { type ActionMessage, pick } from './action-message.js';
import { Channels, type Followed, INSTANCE } from './channels.js';
import { Connection } from './connection.js';
import { failure, guarded, StepwireError } from './error.js';
import type {
  ChildInfo,
  ClientFrame,
  InstanceFrame,
  ListFrame,
  ReplyFrame,
  ResumePoint,
  ServerFrame,
  SnapshotFrame,
  WelcomeFrame,
} from './frames.js';
import { Instance } from './instance.js';
import { InstanceList, TaskList } from './list.js';
import type {
  AnyClient,
  AnyProcesses,
  ConnectionStatus,
  ConnectOptions,
  ProcessShape,
  StartOf,
  StartOptions,
  WaitOptions,
} from './options.js';
import { Outbox, TOKENS } from './outbox.js';
import type { Platform } from './platform.js';
import type { Store } from './store.js';
import { memoryTokenStore, type TokenStore } from './token.js';

type Shape<P, K extends keyof P> = P[K] extends ProcessShape ? P[K] : ProcessShape;

/** Connects at once, and keeps connected until {@link Client.close}. Never throws: what hinders it stands in `lastError`. */
export function connect<P extends { [K in keyof P]: ProcessShape } = AnyProcesses>(options: ConnectOptions): Client<P> {
  return new Client<P>(options);
}

/** One connection to the server, and all instances followed through it. */
export class Client<P extends { [K in keyof P]: ProcessShape } = AnyProcesses> {
  readonly status: Store<ConnectionStatus>;
  /** Why there is no connection: at the moment, or (with a final status) for good. `undefined` while it is live. */
  readonly lastError: Store<StepwireError | undefined>;
  /** @internal */
  readonly platform: Platform;
  /** @internal */
  readonly channels: Channels;
  readonly #options: ConnectOptions;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #tokens: TokenStore;
  /** Roots whose tokens this connection has been shown, the first of them in its `hello`. */
  #shown = new Set<string>();
  /** The instance whose snapshot came last among those the app opened: descendants' snapshots follow their root's. */
  #lastRoot: Instance | undefined;

  constructor(options: ConnectOptions) {
    this.#options = options;
    this.#tokens = options.tokenStore ?? memoryTokenStore();
    this.#connection = new Connection(options, {
      token: () => this.#firstToken(),
      tokenRefused: () => this.#tokenRefused(),
      resume: (room) => this.#resume(room),
      welcomed: (welcome) => this.#welcomed(welcome),
      received: (frame) => this.#received(frame),
      lost: (code) => {
        this.#outbox.lost(code);
        this.channels.lost();
      },
      stopped: (error) => {
        this.#outbox.end(error);
        this.channels.end(error);
      },
    });
    this.platform = this.#connection.platform;
    this.status = this.#connection.status;
    this.lastError = this.#connection.lastError;
    this.#outbox = new Outbox(
      {
        platform: this.platform,
        transmit: (frame) => this.#connection.send(frame),
        abandoned: (reply) => this.#abandoned(reply),
        trouble: () => this.lastError.get(),
      },
      options.timeout,
    );
    this.channels = new Channels(this.#outbox, this.platform);
  }

  /**
   * Starts a process and follows it from its first record. Waits for a connection as long as it takes: `timeout` or `signal` end
   * the wait.
   */
  async start<K extends keyof P & string>(process: K, options: StartOptions<StartOf<P[K]>> = {}): Promise<Instance<Shape<P, K>>> {
    const instance = await this.#start(process, options);
    instance.uses += 1;
    instance.deliverSoon();
    return instance as unknown as Instance<Shape<P, K>>;
  }

  /** Follows an instance by its key. All that ask for the same key share one object and one subscription. */
  instance<K extends keyof P & string>(process: K, key: string): Instance<Shape<P, K>> {
    const known = this.find(key);
    const instance = known ?? this.#add(key, process, undefined);
    instance.uses += 1;
    if (known) instance.deliverSoon();
    else this.subscribe(instance);
    return instance as unknown as Instance<Shape<P, K>>;
  }

  /** Follows the tasks of this user. All that ask share one list; each closes it once. */
  tasks(): TaskList {
    return this.#open(new TaskList(this as unknown as AnyClient));
  }

  /** Follows the instances of a process, or with `*` of all; needs role operator or admin. Shared like {@link tasks}. */
  process(id: (keyof P & string) | '*'): InstanceList {
    return this.#open(new InstanceList(this as unknown as AnyClient, id));
  }

  /**
   * Sends any command of the protocol and resolves to its reply. A lost connection or a server that has no room is no reason to
   * reject: it is sent again, with the same id, until it is answered.
   */
  command(frame: ClientFrame, options: WaitOptions = {}): Promise<ReplyFrame> {
    if (typeof frame.instance === 'string') this.#show(frame.instance);
    return this.#outbox.command(frame, options);
  }

  /** Ends the connection. Unanswered commands reject with `closed`, though the server may have got them. */
  close(): void {
    this.#connection.stop(failure('closed', 'the client was closed'));
  }

  /** Ends the connection as {@link close} does, because the user is one no longer: what waits rejects with `unauthenticated`. */
  signOut(): void {
    this.#connection.stop(failure('unauthenticated', 'the user has signed out'), 'signedOut');
  }

  /** @internal */
  find(key: string): Instance | undefined {
    return this.channels.get(INSTANCE + key) as Instance | undefined;
  }

  /** @internal */
  subscribe(instance: Instance): void {
    this.#show(instance.key);
    this.channels.subscribe(instance);
  }

  /** @internal */
  release(instance: Instance): void {
    instance.uses -= 1;
    if (instance.uses > 0 || instance.parent !== undefined || !this.channels.has(instance)) return;
    const tree = [instance];
    for (const member of tree) tree.push(...member.children.get());
    // What the app opened itself stays, and stands on its own from now on.
    const kept = tree.filter((member) => this.channels.has(member) && member.uses > 0);
    for (const member of tree.filter(({ uses }) => uses <= 0)) {
      this.channels.forget(member);
      this.channels.unsubscribe(member, member === instance);
      member.settle(Infinity);
    }
    for (const member of kept) {
      member.parent = undefined;
      this.channels.subscribe(member);
    }
  }

  /** @internal */
  releaseList(list: Followed): void {
    list.uses -= 1;
    if (list.uses > 0 || !this.channels.has(list)) return;
    this.channels.forget(list);
    this.channels.unsubscribe(list);
  }

  /** @internal */
  announce(parent: Instance, info: ChildInfo): void {
    parent.addChild(this.find(info.instance) ?? this.#add(info.instance, info.process, undefined), info);
  }

  /** @internal */
  handleAction(message: ActionMessage): boolean {
    return guarded(() => this.#options.onAction?.(message)) === true;
  }

  /** @internal */
  async inherit(parent: Instance, { seq }: ActionMessage, asked: { process: string; dataKeys: string[] }): Promise<void> {
    const { clientData = {} } = this.#options;
    const values = typeof clientData === 'function' ? clientData() : clientData;
    const inheritFrom = { instance: parent.key, seq };
    const child = await this.#start(asked.process, { data: pick(values, asked.dataKeys), inheritFrom });
    parent.addChild(child);
    child.deliverSoon();
  }

  async #start(process: string, options: StartOptions<unknown>): Promise<Instance> {
    const { id, data = {}, startCondition, businessKey, inheritFrom, test, subscribe, signal, timeout } = options;
    const nonce = this.#options.getToken || inheritFrom ? undefined : this.#tokens.nonce();
    const frame = { type: 'start', id, process, data, startCondition, businessKey, inheritFrom, test, subscribe, nonce };
    if (inheritFrom) this.#show(inheritFrom.instance);
    const { result } = await this.#outbox.command(frame, { signal, timeout });
    const key = result.instance!;
    this.#keep(key, result.token);
    const known = this.find(key);
    if (!known && subscribe === false) return new Instance(this as unknown as AnyClient, key, process).begin(result);
    const instance = known ?? this.#add(key, process, undefined);
    instance.process ??= process;
    // A repeat after a lost answer: the frames went to the connection that is gone.
    if (!known) this.subscribe(instance);
    return instance;
  }

  /** A start that nobody waited for any more was done: what it began is still good for whoever starts with the same id. */
  #abandoned({ result: { instance: key, token } }: ReplyFrame): void {
    if (key === undefined) return;
    this.#keep(key, token);
    const instance = this.find(key);
    if (!instance || instance.uses > 0 || instance.parent !== undefined) return;
    instance.uses = 1;
    this.release(instance);
  }

  #open<L extends Followed>(list: L): L {
    const known = this.channels.get(list.channel) as L | undefined;
    const shared = known ?? list;
    shared.uses += 1;
    if (!known) {
      this.channels.add(list);
      this.channels.subscribe(list);
    }
    return shared;
  }

  #keep(root: string, token: string | undefined): void {
    if (token === undefined) return;
    this.#tokens.set(root, token);
    this.#shown.add(root);
    guarded(() => this.#options.onToken?.(token, root));
  }

  /** The root of an instance's tree, as far as the client knows. */
  #rootOf(key: string): string {
    const parent = this.find(key)?.parent;
    return parent === undefined ? key : this.#rootOf(parent);
  }

  /** The token of the first tree that is followed: the others are shown after the `hello`. */
  #firstToken(): string | undefined {
    this.#shown = new Set();
    if (this.#options.getToken) return undefined;
    for (const { channel } of this.channels.all()) {
      const root = this.#rootOf(channel.slice(INSTANCE.length));
      const token = this.#tokens.get(root);
      if (token === undefined) continue;
      this.#shown.add(root);
      return token;
    }
    return undefined;
  }

  #tokenRefused(): boolean {
    const [root] = this.#shown;
    if (root !== undefined) this.#tokens.set(root, undefined);
    return root !== undefined;
  }

  /** Shows the server the token for the tree of an instance, if there is one that it does not know yet. */
  #show(key: string): void {
    if (this.#options.getToken) return;
    const root = this.#rootOf(key);
    const token = this.#shown.has(root) ? undefined : this.#tokens.get(root);
    if (token === undefined) return;
    this.#shown.add(root);
    this.#outbox
      .command({ type: 'auth', token }, { lane: TOKENS, again: false, timeout: Infinity })
      .catch(({ code }: StepwireError) => {
        // The instances of the tree will be refused by themselves.
        if (code === 'unauthenticated' || code === 'token_expired') this.#tokens.set(root, undefined);
      });
  }

  /** Of several trees, the `hello` can only name instances of the one whose token it brings. */
  #resume(room: number): ResumePoint[] {
    const roots = new Map(this.channels.all().map(({ channel }) => [channel, this.#rootOf(channel.slice(INSTANCE.length))]));
    const unshown = (root: string) => !this.#shown.has(root) && this.#tokens.get(root) !== undefined;
    const several = !this.#options.getToken && [...roots.values()].some(unshown);
    return this.channels.resume(room, ({ channel }) => !several || this.#shown.has(roots.get(channel)!));
  }

  #welcomed(welcome: WelcomeFrame): void {
    for (const { channel } of this.channels.all()) this.#show(channel.slice(INSTANCE.length));
    for (const key of [...this.#outbox.instances()]) this.#show(key);
    this.#outbox.opened(welcome);
    this.channels.welcomed();
  }

  #received(frame: ServerFrame): void {
    if (frame.type === 'reply') return void this.#outbox.answer(frame);
    if (frame.type !== 'error') return this.#route(frame as InstanceFrame | ListFrame);
    const { id, channel } = frame;
    if (id !== undefined && this.#outbox.answer({ ...frame, id })) return;
    const error = new StepwireError(frame);
    if (channel !== undefined) this.channels.refused(channel, error);
    else this.#connection.complained(error);
  }

  #route(frame: InstanceFrame | ListFrame): void {
    const { channel } = frame;
    // Frames of unknown types have any channel, or none.
    if (!channel?.startsWith(INSTANCE)) return this.channels.get(channel)?.receive(frame);
    const key = channel.slice(INSTANCE.length);
    let instance = this.find(key);
    const snapshot = frame.type === 'snapshot' ? (frame as SnapshotFrame) : undefined;
    if (!instance) {
      // Only a snapshot or a first frame makes an instance; anything else is late news of one that was closed.
      const first = snapshot || ('prev' in frame && frame.prev === 0);
      if (!first) return;
      instance = this.#add(key, undefined, snapshot ? undefined : 0);
      if (snapshot) this.#parentOf(snapshot.parent)?.addChild(instance);
    }
    if (snapshot && instance.uses > 0) this.#lastRoot = instance;
    instance.receive(frame as InstanceFrame);
  }

  #parentOf(key: string | null | undefined): Instance | undefined {
    const last = this.#lastRoot && this.channels.has(this.#lastRoot) ? this.#lastRoot : undefined;
    return (key ? this.find(key) : undefined) ?? last;
  }

  #add(key: string, process: string | undefined, cursor: number | undefined): Instance {
    const instance = new Instance(this as unknown as AnyClient, key, process);
    instance.cursor = cursor;
    this.channels.add(instance);
    return instance;
  }
}
