import { type ActionMessage, inheritStart } from './action-message.js';
import { type Channels, type Followed, INSTANCE } from './channels.js';
import { guarded, type StepwireError } from './error.js';
import type {
  ActiveNode,
  AvailableAction,
  ChildInfo,
  ClientFrame,
  CommandResult,
  InstanceFrame,
  InstanceStatus,
  JsonObject,
  NoteFrame,
  NumberedFrame,
  ReplyFrame,
  SnapshotFrame,
  Step,
} from './frames.js';
import { merge, share } from './merge.js';
import type { ActionsOf, ProcessShape, RunOptions, ViewOf, WaitOptions } from './options.js';
import { limit, type Platform } from './platform.js';
import { store, type Store, type WritableStore } from './store.js';
import { uuidv7 } from './uuid.js';

type ActionHandler = (message: ActionMessage) => boolean | void;
type ActionName<S> = keyof ActionsOf<S> & string;

/** What `run` resolves to: the next step, and the number at which the effect is in the view. */
export interface RunResult extends CommandResult {
  seq: number | undefined;
  /** Whether an earlier sending of the same command had done it already. */
  duplicate: boolean;
}

/**
 * A process instance as this client sees it: stores that the server's frames keep up to date, and the commands to it.
 * Children are instances too; they come with their parent and need no `close`.
 */
export interface Instance<S extends ProcessShape = ProcessShape> {
  readonly key: string;
  /** Id of the process; `undefined` until the server has said it. */
  readonly process: string | undefined;
  /** The fold of the Data messages: what the page shows. */
  readonly view: Store<ViewOf<S>>;
  /** What this user may run now, in display order. */
  readonly actions: Store<AvailableAction<ActionName<S>>[]>;
  /** The active elements. */
  readonly nodes: Store<ActiveNode[]>;
  /** `undefined` until the server has said it. */
  readonly status: Store<InstanceStatus | undefined>;
  readonly children: Store<Instance[]>;
  /** Drafts of this user, and who has a task open, as the server said last: see `@stepwire/client/task`. */
  readonly notes: Store<readonly NoteFrame[]>;
  /** Why the instance cannot be followed, or a process it asked for not be started. */
  readonly error: Store<StepwireError | undefined>;
  /**
   * Runs an action. Resolves when its effect is in the stores. Rejects with a {@link StepwireError}; a lost connection is no
   * reason for that: the command is sent again, with the same id, until the server has answered.
   */
  run<A extends ActionName<S>>(action: A, data?: ActionsOf<S>[A], options?: RunOptions<ViewOf<S>>): Promise<RunResult>;
  /** Says that the Action message of this number has been dealt with: snapshots no longer list it. */
  done(seq: number, wait?: WaitOptions): Promise<void>;
  /** Lets nothing happen until {@link Instance.unhold}. */
  hold(wait?: WaitOptions): Promise<void>;
  /** Lets it go on: what became due meanwhile is done first. */
  unhold(wait?: WaitOptions): Promise<void>;
  /** Ends the instance. */
  terminate(wait?: WaitOptions): Promise<void>;
  /** Ends a subprocess, as its user. */
  dismiss(wait?: WaitOptions): Promise<void>;
  /** Tries what failed at an element again. */
  retry(element: string, wait?: WaitOptions): Promise<void>;
  /** Goes on without what failed at an element. */
  skip(element: string, wait?: WaitOptions): Promise<void>;
  /** Takes a user task that is nobody's. */
  claim(element: string, wait?: WaitOptions): Promise<void>;
  /** Gives a user task back. */
  release(element: string, wait?: WaitOptions): Promise<void>;
  /** Gives a user task to somebody. */
  assign(element: string, user: string, wait?: WaitOptions): Promise<void>;
  /**
   * Gets the instance's Action messages, also those that came before. A handler that returns true has handled the message;
   * if none does and it has the form START_PROCESS_INHERIT, the client starts the process.
   */
  onAction(handler: ActionHandler): () => void;
  /** Gets each child, also those already there. */
  onChild(handler: (child: Instance) => void): () => void;
  /** Ends this use of the instance; with the last one the server stops sending its frames. */
  close(): void;
}

/** What an instance asks of its client. */
export interface InstanceOwner {
  readonly platform: Platform;
  readonly channels: Channels;
  /** Name → schema of what an action takes. */
  readonly schemas: Record<string, JsonObject>;
  command(frame: ClientFrame, wait?: WaitOptions): Promise<ReplyFrame>;
  subscribe(member: Member): void;
  release(member: Member): void;
  announce(parent: Member, info: ChildInfo): void;
  /** Whether the app's own `onAction` handled it. */
  handled(message: ActionMessage): boolean;
  inherit(parent: Member, message: ActionMessage, asked: { process: string; dataKeys: string[] }): Promise<void>;
}

/** An instance as the client keeps it: what it gives to the app is `face`. */
export interface Member extends Followed {
  readonly key: string;
  readonly face: Instance;
  readonly children: Member[];
  /** Key of the parent, when the client learned it. */
  parent: string | undefined;
  /** Learns what process it is of. */
  is(process: string | undefined): void;
  addChild(child: Member, info?: ChildInfo): void;
  /** Sets how it stands, unless it is known already. */
  stands(status: InstanceStatus): void;
  /** Shows the step of a start that is not followed. */
  begin(result: CommandResult): void;
  /** Hands the Action messages over, in a task of its own: a handler set right after `start` sees the first ones too. */
  deliverSoon(): void;
  /** Nothing more will come: whoever waits for an effect is told. */
  settle(): void;
}

/** A change that is shown before the server has made it. */
interface Optimistic {
  id: string;
  change: (view: JsonObject) => unknown;
}

type Commands<Name extends keyof Instance> = Pick<Instance, Name>;

/** Commands that differ by their names only. */
const all = <Name extends keyof Instance>(names: Name[], make: (name: Name) => Instance[Name]) =>
  Object.fromEntries(names.map((name) => [name, make(name)])) as Commands<Name>;

/** Makes an instance that is not followed yet. */
export function instance(owner: InstanceOwner, key: string, process: string | undefined): Member {
  const { platform, channels, schemas } = owner;
  const views = store<JsonObject>({});
  const actions = store<AvailableAction[]>([]);
  const nodes = store<ActiveNode[]>([]);
  const status = store<InstanceStatus | undefined>(undefined);
  const children = store<Instance[]>([]);
  const error = store<StepwireError | undefined>(undefined);
  const notes = store<readonly NoteFrame[]>([]);
  /** The view that the server has said. */
  let said: JsonObject = {};
  let optimistic: Optimistic[] = [];
  let resubscribing = false;
  let waiting: { seq: number; done: () => void }[] = [];
  let undelivered: ActionMessage[] = [];
  const delivered = new Set<number>();
  const actionHandlers = new Set<ActionHandler>();

  const put = <T>(into: WritableStore<T>, value: unknown) => into.set(share(into.get(), value) as T);
  const show = () => put(views, optimistic.reduce<unknown>((view, { change }) => change(view as JsonObject), said));
  const drop = (id: unknown) => {
    const left = optimistic.filter((one) => one.id !== id);
    if (left.length === optimistic.length) return;
    optimistic = left;
    show();
  };

  /** Waits for the frames of what was done. Frames that are late, or limits that are over, make nothing undone. */
  const reached = (seq: number | undefined, wait: WaitOptions = {}) =>
    new Promise<void>((resolve) => {
      if (seq === undefined || (member.cursor ?? -1) >= seq || !channels.has(member) || wait.signal?.aborted) return resolve();
      const done = () => {
        end();
        waiting = waiting.filter((one) => one.done !== done);
        resolve();
      };
      const end = limit(platform, wait, done);
      waiting.push({ seq, done });
    });
  const settle = (upTo = Infinity) => waiting.filter(({ seq }) => seq <= upTo).forEach(({ done }) => done());

  /** Resolves, like `run`, when the effect is in the stores. */
  const command = async (type: string, wait?: WaitOptions, members?: JsonObject) => {
    const { seq } = await owner.command({ type, instance: key, ...members }, wait);
    if (type !== 'done') await reached(seq, wait);
  };

  const deliverSoon = () => {
    // A started instance that the app has not got yet (its reply is still to come) keeps them.
    if (!undelivered.length || (!member.uses && member.parent === undefined)) return;
    platform.setTimer(() => undelivered.splice(0).forEach(deliver), 0);
  };
  const deliver = (message: ActionMessage) => {
    const handled = [...actionHandlers].map((handler) => guarded(() => handler(message)));
    const asked = inheritStart(message.body);
    if (handled.includes(true) || owner.handled(message) || !asked) return;
    owner.inherit(member, message, asked).catch(error.set);
  };
  const offer = (seq: number, body: JsonObject, node: string | undefined) => {
    if (delivered.has(seq)) return;
    delivered.add(seq);
    undelivered.push({ instance: key, seq, node, body });
    deliverSoon();
  };

  const step = (next: Step) => {
    put(nodes, next.nodes);
    // Frames name the schemas, which have come before them.
    const described = next.actions.map((action) => ({ ...action, schema: schemas[action.schema as unknown as string] }));
    put(actions, described.sort((a, b) => a.order - b.order));
    status.set(next.status);
  };

  const replace = (frame: SnapshotFrame) => {
    member.cursor = frame.seq;
    resubscribing = false;
    error.set(undefined);
    member.is(frame.process);
    said = frame.view;
    show();
    step(frame);
    frame.children?.forEach((child) => owner.announce(member, child));
    frame.open?.forEach(({ seq, body, node }) => offer(seq, body, node));
    settle(frame.seq);
  };

  const advance = (frame: NumberedFrame) => {
    const { seq, prev } = frame;
    if (member.cursor === undefined && prev === 0) {
      member.cursor = 0;
      said = {};
      show();
    }
    // Frames of types that this client does not know may have no number.
    if (member.cursor === undefined || !(seq > member.cursor)) return;
    if (prev !== member.cursor) {
      if (!resubscribing) owner.subscribe(member);
      resubscribing = true;
      return;
    }
    member.cursor = seq;
    resubscribing = false;
    apply(frame);
    settle(seq);
  };

  const apply = (frame: NumberedFrame) => {
    const { type } = frame;
    if (type === 'data' || type === 'view') {
      said = (type === 'data' ? merge(said, frame.body) : share(said, frame.body)) as JsonObject;
      // In one change: what was expected goes, what came is there.
      optimistic = optimistic.filter(({ id }) => id !== frame.cause);
      show();
    } else if (type === 'action') offer(frame.seq, frame.body, frame.node);
    else if (type === 'child') owner.announce(member, frame.child);
    else if (type === 'progress') {
      step(frame);
      drop(frame.cause);
    }
  };

  const face: Instance = {
    key,
    get process() {
      return process;
    },
    view: views,
    actions: actions as Instance['actions'],
    nodes,
    status,
    children,
    notes,
    error,
    async run(action, data, { element, ifSeq, id = uuidv7(platform.now()), optimistic: expected, ...wait } = {}) {
      const change = typeof expected === 'object' ? (view: JsonObject) => merge(view, expected) : expected;
      if (change) {
        optimistic.push({ id, change });
        show();
      }
      try {
        const frame = { type: 'run', id, instance: key, action, data: data ?? {}, element, ifSeq };
        const { seq, duplicate = false, result } = await owner.command(frame, wait);
        await reached(seq, wait);
        return { ...result, seq, duplicate };
      } finally {
        drop(id);
      }
    },
    done: (seq, wait) => command('done', wait, { seq }),
    ...all(['hold', 'unhold', 'terminate', 'dismiss'], (type) => (wait) => command(type, wait)),
    ...all(['retry', 'skip', 'claim', 'release'], (type) => (element, wait) => command(type, wait, { element })),
    assign: (element, user, wait) => command('assign', wait, { element, user }),
    onAction(handler) {
      actionHandlers.add(handler);
      return () => void actionHandlers.delete(handler);
    },
    onChild(handler) {
      const seen = new Set<Instance>();
      const look = (all: Instance[]) =>
        all.forEach((child) => seen.has(child) || (seen.add(child), guarded(() => handler(child))));
      look(children.get());
      return children.subscribe(look);
    },
    close: () => owner.release(member),
  };

  const member: Member = {
    key,
    channel: INSTANCE + key,
    face,
    children: [],
    uses: 0,
    parent: undefined,
    ended: () => !/^(created|started|onHold)$/.test(status.get() ?? 'started'),
    is: (known) => (process ??= known),
    stands: (known) => status.get() ?? status.set(known),
    receive(frame: InstanceFrame) {
      if (frame.type === 'snapshot') replace(frame);
      else if (frame.type === 'resync') member.cursor = undefined;
      else if (frame.type === 'drafted' || frame.type === 'present') {
        // Of one place the newest counts.
        const placeOf = (one: NoteFrame) => `${one.type} ${one.element} ${one.type === 'drafted' && one.action}`;
        const others = notes.get().filter((one) => placeOf(one) !== placeOf(frame));
        notes.set([...others, frame]);
      } else if (frame.type !== 'live') advance(frame);
    },
    lost() {
      resubscribing = false;
      // The next connection is told all of them.
      if (notes.get().length) notes.set([]);
    },
    fail(reason) {
      if (reason) error.set(reason);
      settle();
    },
    settle,
    begin: ({ status = 'started', nodes = [], actions = [] }) => step({ status, nodes, actions }),
    addChild(child, info) {
      child.parent ??= key;
      child.is(info?.process);
      if (info) child.stands(info.status);
      if (member.children.includes(child)) return;
      member.children.push(child);
      children.set([...children.get(), child.face]);
    },
    deliverSoon,
  };
  return member;
}
