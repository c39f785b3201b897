import { type ActionMessage, inheritStart } from './action-message.js';
import { INSTANCE } from './channels.js';
import { guarded, type StepwireError } from './error.js';
import type {
  ActiveNode,
  AvailableAction,
  ChildInfo,
  CommandResult,
  InstanceFrame,
  InstanceStatus,
  JsonObject,
  NumberedFrame,
  SnapshotFrame,
  Step,
} from './frames.js';
import { merge, share } from './merge.js';
import { LONGEST_TIMER_MS } from './outbox.js';
import type { ActionsOf, AnyClient, ProcessShape, RunOptions, ViewOf, WaitOptions } from './options.js';
import { store, type Store } from './store.js';

type ActionHandler = (message: ActionMessage) => boolean | void;
type ActionName<S> = keyof ActionsOf<S> & string;

/** What `run` resolves to: the next step, and the number at which the effect is in the view. */
export interface RunResult extends CommandResult {
  seq: number | undefined;
  /** Whether an earlier sending of the same command had done it already. */
  duplicate: boolean;
}

const LIVE: InstanceStatus[] = ['created', 'started', 'onHold'];

/**
 * A process instance as this client sees it: stores that the server's frames keep up to date, and the commands to it.
 * Children are instances too; they come with their parent and need no `close`.
 */
export class Instance<S extends ProcessShape = ProcessShape> {
  readonly #views = store({} as ViewOf<S>);
  readonly #actions = store<AvailableAction<ActionName<S>>[]>([]);
  readonly #nodes = store<ActiveNode[]>([]);
  readonly #status = store<InstanceStatus | undefined>(undefined);
  readonly #children = store<Instance[]>([]);
  readonly #error = store<StepwireError | undefined>(undefined);
  /** The fold of the Data messages: what the page shows. */
  readonly view: Store<ViewOf<S>> = this.#views;
  /** What this user may run now, in display order. */
  readonly actions: Store<AvailableAction<ActionName<S>>[]> = this.#actions;
  /** The active elements. */
  readonly nodes: Store<ActiveNode[]> = this.#nodes;
  /** `undefined` until the server has said it. */
  readonly status: Store<InstanceStatus | undefined> = this.#status;
  readonly children: Store<Instance[]> = this.#children;
  /** Why the instance cannot be followed, or a process it asked for not be started. */
  readonly error: Store<StepwireError | undefined> = this.#error;

  /** The number of the last frame applied; `undefined` while a snapshot is awaited. @internal */
  cursor: number | undefined;
  /** How often the app opened it and has not closed it. @internal */
  uses = 0;
  /** Key of the parent, when the client learned it. @internal */
  parent: string | undefined;
  #resubscribing = false;
  #waiting: { seq: number; done: () => void }[] = [];
  readonly #actionHandlers = new Set<ActionHandler>();
  readonly #childHandlers = new Set<(child: Instance) => void>();
  #undelivered: ActionMessage[] = [];
  readonly #delivered = new Set<number>();

  readonly #client: AnyClient;

  /** @internal */
  constructor(
    client: AnyClient,
    readonly key: string,
    public process: string | undefined,
  ) {
    this.#client = client;
  }

  /** @internal */
  get channel(): string {
    return INSTANCE + this.key;
  }

  /** @internal */
  get ended(): boolean {
    const status = this.#status.get();
    return status !== undefined && !LIVE.includes(status);
  }

  /**
   * Runs an action. Resolves when its effect is in the stores. Rejects with a {@link StepwireError}; a lost connection is no
   * reason for that: the command is sent again, with the same id, until the server has answered.
   */
  async run<A extends ActionName<S>>(action: A, data?: ActionsOf<S>[A], options: RunOptions = {}): Promise<RunResult> {
    const { element, ifSeq, ...wait } = options;
    const frame = { type: 'run', instance: this.key, action, data: data ?? {}, element, ifSeq };
    const reply = await this.#client.command(frame, wait);
    await this.#reached(reply.seq, wait);
    return { ...reply.result, seq: reply.seq, duplicate: reply.duplicate ?? false };
  }

  /** Says that the Action message of this number has been dealt with: snapshots no longer list it. */
  async done(seq: number, wait?: WaitOptions): Promise<void> {
    await this.#client.command({ type: 'done', instance: this.key, seq }, wait);
  }

  /** Lets nothing happen until {@link unhold}. */
  hold(wait?: WaitOptions): Promise<void> {
    return this.#command('hold', {}, wait);
  }

  /** Lets it go on: what became due meanwhile is done first. */
  unhold(wait?: WaitOptions): Promise<void> {
    return this.#command('unhold', {}, wait);
  }

  /** Ends the instance. */
  terminate(wait?: WaitOptions): Promise<void> {
    return this.#command('terminate', {}, wait);
  }

  /** Ends a subprocess, as its user. */
  dismiss(wait?: WaitOptions): Promise<void> {
    return this.#command('dismiss', {}, wait);
  }

  /** Tries what failed at an element again. */
  retry(element: string, wait?: WaitOptions): Promise<void> {
    return this.#command('retry', { element }, wait);
  }

  /** Goes on without what failed at an element. */
  skip(element: string, wait?: WaitOptions): Promise<void> {
    return this.#command('skip', { element }, wait);
  }

  /** Takes a user task that is nobody's. */
  claim(element: string, wait?: WaitOptions): Promise<void> {
    return this.#command('claim', { element }, wait);
  }

  /** Gives a user task back. */
  release(element: string, wait?: WaitOptions): Promise<void> {
    return this.#command('release', { element }, wait);
  }

  /** Gives a user task to somebody. */
  assign(element: string, user: string, wait?: WaitOptions): Promise<void> {
    return this.#command('assign', { element, user }, wait);
  }

  /**
   * Gets the instance's Action messages, also those that came before. A handler that returns true has handled the message;
   * if none does and it has the form START_PROCESS_INHERIT, the client starts the process.
   */
  onAction(handler: ActionHandler): () => void {
    this.#actionHandlers.add(handler);
    return () => void this.#actionHandlers.delete(handler);
  }

  /** Gets each child, also those already there. */
  onChild(handler: (child: Instance) => void): () => void {
    this.#childHandlers.add(handler);
    this.#children.get().forEach((child) => guarded(() => handler(child)));
    return () => void this.#childHandlers.delete(handler);
  }

  /** Ends this use of the instance; with the last one the server stops sending its frames. */
  close(): void {
    this.#client.release(this);
  }

  /** Applies a frame of the channel. @internal */
  receive(frame: InstanceFrame): void {
    if (frame.type === 'snapshot') this.#replace(frame);
    else if (frame.type === 'resync') this.cursor = undefined;
    else if (frame.type !== 'live') this.#advance(frame);
  }

  /** @internal */
  lost(): void {
    this.#resubscribing = false;
  }

  /** @internal */
  fail(error: StepwireError | undefined): void {
    if (error) this.#error.set(error);
    this.settle(Infinity);
  }

  /** Shows the step of a start that is not followed. @internal */
  begin({ status = 'started', nodes = [], actions = [] }: CommandResult): this {
    this.#step({ status, nodes, actions });
    return this;
  }

  /** Nothing more will come. @internal */
  settle(upTo = this.cursor ?? -1): void {
    this.#waiting.filter(({ seq }) => seq <= upTo).forEach(({ done }) => done());
  }

  /** @internal */
  addChild(child: Instance, info?: ChildInfo): void {
    child.parent ??= this.key;
    child.process ??= info?.process;
    if (info && child.#status.get() === undefined) child.#status.set(info.status);
    if (this.#children.get().includes(child)) return;
    this.#children.set([...this.#children.get(), child]);
    this.#childHandlers.forEach((handler) => guarded(() => handler(child)));
  }

  /** Hands the Action messages over, in a task of its own: a handler set right after `start` sees the first ones too. @internal */
  deliverSoon(): void {
    // A started instance that the app has not got yet (its reply is still to come) keeps them.
    if (this.#undelivered.length === 0 || (this.uses === 0 && this.parent === undefined)) return;
    this.#client.platform.setTimer(() => {
      const messages = this.#undelivered;
      this.#undelivered = [];
      messages.forEach((message) => this.#deliver(message));
    }, 0);
  }

  #deliver(message: ActionMessage): void {
    const handled = [...this.#actionHandlers].map((handler) => guarded(() => handler(message))).includes(true);
    if (handled || this.#client.handleAction(message)) return;
    const asked = inheritStart(message.body);
    if (asked) this.#client.inherit(this, message, asked).catch((error: StepwireError) => this.#error.set(error));
  }

  /** Resolves, like `run`, when the effect is in the stores. */
  async #command(type: string, members: { element?: string; user?: string }, wait?: WaitOptions): Promise<void> {
    const { seq } = await this.#client.command({ type, instance: this.key, ...members }, wait);
    await this.#reached(seq, wait);
  }

  /** Waits for the frames of what was done. Frames that are late, or limits that are over, make nothing undone. */
  #reached(seq: number | undefined, { signal, timeout }: WaitOptions = {}): Promise<void> {
    const here = seq === undefined || (this.cursor ?? -1) >= seq || !this.#client.channels.has(this) || signal?.aborted;
    if (here) return Promise.resolve();
    return new Promise((resolve) => {
      const { platform } = this.#client;
      const timer = timeout === undefined || timeout > LONGEST_TIMER_MS ? undefined : platform.setTimer(() => done(), timeout);
      const done = () => {
        platform.clearTimer(timer);
        signal?.removeEventListener('abort', done);
        this.#waiting = this.#waiting.filter((waiting) => waiting.done !== done);
        resolve();
      };
      signal?.addEventListener('abort', done);
      this.#waiting.push({ seq, done });
    });
  }

  #replace(frame: SnapshotFrame): void {
    this.cursor = frame.seq;
    this.#resubscribing = false;
    this.#error.set(undefined);
    this.process ??= frame.process;
    this.#views.set(share(this.#views.get(), frame.view) as ViewOf<S>);
    this.#step(frame);
    frame.children?.forEach((child) => this.#client.announce(this, child));
    frame.open?.forEach(({ seq, body, node }) => this.#offer({ instance: this.key, seq, node, body }));
    this.settle();
  }

  #advance(frame: NumberedFrame): void {
    if (this.cursor === undefined && frame.prev === 0) {
      this.cursor = 0;
      this.#views.set({} as ViewOf<S>);
    }
    // Frames of types that this client does not know may have no number.
    if (this.cursor === undefined || !(frame.seq > this.cursor)) return;
    if (frame.prev !== this.cursor) {
      if (!this.#resubscribing) this.#client.subscribe(this);
      this.#resubscribing = true;
      return;
    }
    this.cursor = frame.seq;
    this.#resubscribing = false;
    this.#apply(frame);
    this.settle();
  }

  #apply(frame: NumberedFrame): void {
    switch (frame.type) {
      case 'data':
        return this.#views.set(merge(this.#views.get(), frame.body) as ViewOf<S>);
      case 'view':
        return this.#views.set(share(this.#views.get(), frame.body) as ViewOf<S>);
      case 'action':
        return this.#offer({ instance: this.key, seq: frame.seq, node: frame.node, body: frame.body });
      case 'child':
        return this.#client.announce(this, frame.child);
      case 'progress':
        return this.#step(frame);
    }
  }

  #step({ status, nodes, actions }: Step): void {
    this.#nodes.set(share(this.#nodes.get(), nodes));
    const sorted = [...actions].sort((a, b) => a.order - b.order) as AvailableAction<ActionName<S>>[];
    this.#actions.set(share(this.#actions.get(), sorted));
    this.#status.set(status);
  }

  #offer(message: ActionMessage & { body: JsonObject }): void {
    if (this.#delivered.has(message.seq)) return;
    this.#delivered.add(message.seq);
    this.#undelivered.push(message);
    this.deliverSoon();
  }
}
