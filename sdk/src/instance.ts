// One process instance: stores that its frames keep up to date, and commands to it. Following it: `channels.ts`.

import { type Followed, INSTANCE } from './channels.js';
import { guarded, type StepwireError } from './error.js';
import type {
  ActiveNode,
  AvailableAction,
  ChildInfo,
  CommandResult,
  InstanceFrame,
  InstanceStatus,
  JsonObject,
  NoteFrame,
  NumberedFrame,
  SnapshotFrame,
  Step,
} from './frames.js';
import { merge, share } from './merge.js';
import type { ActionsOf, ProcessShape, RunOptions, ViewOf, WaitOptions } from './options.js';
import type { Parts } from './parts.js';
import { limit } from './platform.js';
import { store, type Store, type WritableStore } from './store.js';
import { uuidv7 } from './uuid.js';

/** A message that asks the frontend to do something. It stays open until `done`, or until a start that inherits from it. */
export interface ActionMessage {
  instance: string;
  seq: number;
  /** The node that sent it, if known. */
  node: string | undefined;
  /** Any JSON, as the modeller wrote it. */
  body: unknown;
}

type ActionHandler = (message: ActionMessage) => boolean | void;
type ActionName<S> = keyof ActionsOf<S> & string;

/** The result of `run`: the next step, and the number at which its effect is in the view. */
export interface RunResult extends CommandResult {
  seq: number | undefined;
  /** Whether an earlier attempt of the same command had already taken effect. */
  duplicate: boolean;
}

/** The commands to an instance other than `run`, with the parameters of each. */
export interface InstanceCommands {
  /** The Action message with this number was handled: snapshots no longer list it. */
  done: { seq: number };
  /** Pauses the instance until `unhold`. */
  hold: undefined;
  /** Continues the instance: what became due meanwhile happens first. */
  unhold: undefined;
  /** Ends the instance. */
  terminate: undefined;
  /** Ends a subprocess, as its user. */
  dismiss: undefined;
  /** Repeats what failed at an element. */
  retry: { element: string };
  /** Continues without what failed at an element. */
  skip: { element: string };
  /** Merges data into those of the instance, or with `scope` (an active element) into its variables, as an operator. */
  patch: { data: JsonObject; scope?: string; ifSeq?: number };
  /** Moves a token to another node of its scope, as an operator. */
  move: { element: string; to: string };
  /** Claims a user task that is not assigned. */
  claim: { element: string };
  /** Releases a user task. */
  release: { element: string };
  /** Assigns a user task to a user. */
  assign: { element: string; user: string };
}

/**
 * A process instance as seen by this client: stores that the server's frames keep up to date, and the commands to it. Children are
 * instances too; they come with their parent and need no `close`.
 */
export interface Instance<S extends ProcessShape = ProcessShape> {
  readonly key: string;
  /** Id of the process; `undefined` until the server has sent it. */
  readonly process: string | undefined;
  /** The merged Data messages: what the page shows. */
  readonly view: Store<ViewOf<S>>;
  /** What this user may run now, in display order. */
  readonly actions: Store<AvailableAction<ActionName<S>>[]>;
  /** The active elements. */
  readonly nodes: Store<ActiveNode[]>;
  /** `undefined` until the server has sent it. */
  readonly status: Store<InstanceStatus | undefined>;
  readonly children: Store<Instance[]>;
  /** Drafts of this user, and who has a task open, by place: see `@stepwire/client/task`. */
  readonly notes: Store<Readonly<Record<string, NoteFrame>>>;
  /** Why the instance cannot be followed, or why a process that it asked for could not be started. */
  readonly error: Store<StepwireError | undefined>;
  /**
   * Runs an action. Resolves when its effect is in the stores. Rejects with a {@link StepwireError}, but not because of a lost
   * connection: the command is sent again, with the same id, until the server has answered.
   */
  run<A extends ActionName<S>>(action: A, data?: ActionsOf<S>[A], options?: RunOptions<ViewOf<S>>): Promise<RunResult>;
  /**
   * Sends another command to the instance: `command('claim', { element })`, `command('terminate')`. Resolves, like `run`, when its
   * effect is in the stores.
   */
  command<Type extends keyof InstanceCommands>(
    type: Type,
    ...more: InstanceCommands[Type] extends JsonObject ? [members: InstanceCommands[Type], wait?: WaitOptions] : [members?: undefined, wait?: WaitOptions]
  ): Promise<void>;
  /**
   * Receives the Action messages of the instance, including earlier ones. A handler that returns true has handled the message; if
   * none does, `onAction` of {@link ConnectOptions} receives it.
   */
  onAction(handler: ActionHandler): () => void;
  /** Ends this use of the instance; after the last one the server stops sending its frames. */
  close(): void;
}

/** The place of a note: for each place only the newest counts. */
export const notePlace = ({ type, element, action }: { type: NoteFrame['type']; element: string; action?: string }): string =>
  `${type} ${element} ${action}`;

/** An instance as stored by the client. */
export interface Member extends Instance, Followed {
  /** The parts of its client. */
  readonly _parts: Parts;
  /** Resolves when the effect at this number is in the stores, when that is no longer possible, or when the wait is over. */
  _reached(seq: number | undefined, wait?: WaitOptions): Promise<void>;
  readonly children: Store<Member[]>;
  process: string | undefined;
  _addChild(child: Member, info?: ChildInfo): void;
  /** Shows the step of a started instance that is not followed. */
  _step(step: Step): void;
  /** Delivers the Action messages in a separate task: a handler set right after `start` sees the first ones too. */
  _deliverSoon(): void;
}

/** Passes each child of an instance to `handler`, including existing ones. Returns the function that ends it. */
export function onChild({ children }: Instance<any>, handler: (child: Instance) => void): () => void {
  const seen = new Set<Instance>();
  const look = (all: Instance[]) => all.forEach((child) => seen.has(child) || (seen.add(child), guarded(() => handler(child))));
  look(children.get());
  return children.subscribe(look);
}

/** Creates an instance that is not followed yet. */
export function instance(parts: Parts, key: string, process: string | undefined): Member {
  const { _platform: platform, _channels: channels, _schemas: schemas } = parts;
  const views = store<JsonObject>({});
  const actions = store<AvailableAction[]>([]);
  const nodes = store<ActiveNode[]>([]);
  const status = store<InstanceStatus | undefined>(undefined);
  const children = store<Member[]>([]);
  const error = store<StepwireError | undefined>(undefined);
  const notes = store<Readonly<Record<string, NoteFrame>>>({});
  /** The view according to the server. */
  let said: JsonObject = {};
  /** By command: changes shown before the server has made them. */
  const optimistic = new Map<unknown, (view: JsonObject) => unknown>();
  let resubscribing = false;
  const waiting = new Map<() => void, number>();
  let undelivered: ActionMessage[] = [];
  const delivered = new Set<number>();
  const actionHandlers = new Set<ActionHandler>();

  const put = <T>(into: WritableStore<T>, value: unknown) => into.set(share(into.get(), value) as T);
  const show = () => put(views, [...optimistic.values()].reduce<unknown>((view, change) => change(view as JsonObject), said));
  const drop = (id: unknown) => optimistic.delete(id) && show();

  /** Waits for the frames of an effect. Late frames or an expired wait do not undo it. */
  const reached = (seq: number | undefined, wait: WaitOptions = {}) =>
    new Promise<void>((resolve) => {
      if (!(seq! > (member._cursor ?? -1)) || !channels._has(member) || wait.signal?.aborted) return resolve();
      const done = () => {
        end();
        waiting.delete(done);
        resolve();
      };
      const end = limit(platform, wait, done);
      waiting.set(done, seq!);
    });
  const settle = (upTo = Infinity) => waiting.forEach((seq, done) => seq <= upTo && done());

  const deliverSoon = () => {
    // A started instance that the app has not received yet (its reply is still to come) keeps them.
    if (!undelivered.length || (!member._uses && member._parent === undefined)) return;
    platform._setTimer(() => undelivered.splice(0).forEach(deliver), 0);
  };
  const deliver = (message: ActionMessage) => {
    if ([...actionHandlers].map((handler) => guarded(() => handler(message))).includes(true)) return;
    Promise.resolve(guarded(() => parts._unhandled(message))).catch(error.set);
  };
  const offer = (seq: number, body: unknown, node: string | undefined) => {
    if (delivered.has(seq)) return;
    delivered.add(seq);
    undelivered.push({ instance: key, seq, node, body });
    deliverSoon();
  };

  const step = (next: Step) => {
    put(nodes, next.nodes);
    // Frames name schemas that were sent before.
    const described = next.actions.map((action) => ({ ...action, schema: schemas[action.schema as unknown as string] }));
    put(actions, described.sort((a, b) => a.order - b.order));
    status.set(next.status);
  };

  const replace = (frame: SnapshotFrame) => {
    member._cursor = frame.seq;
    resubscribing = false;
    error.set(undefined);
    member.process ||= frame.process;
    said = frame.view;
    show();
    step(frame);
    frame.children?.forEach((child) => parts._announce(member, child));
    frame.open?.forEach(({ seq, body, node }) => offer(seq, body, node));
    settle(frame.seq);
  };

  const advance = (frame: NumberedFrame) => {
    const { seq, prev } = frame;
    if (member._cursor === undefined && prev === 0) {
      member._cursor = 0;
      said = {};
      show();
    }
    // Frames of types unknown to this client may have no number.
    if (member._cursor === undefined || !(seq > member._cursor)) return;
    if (prev !== member._cursor) {
      if (!resubscribing) channels._subscribe(member);
      resubscribing = true;
      return;
    }
    member._cursor = seq;
    resubscribing = false;
    apply(frame);
    settle(seq);
  };

  const apply = (frame: NumberedFrame) => {
    const { type } = frame;
    if (type === 'data' || type === 'view') {
      said = (type === 'data' ? merge(said, frame.body) : share(said, frame.body)) as JsonObject;
      // In one change: the optimistic value goes, the actual one comes.
      optimistic.delete(frame.cause);
      show();
    } else if (type === 'action') offer(frame.seq, frame.body, frame.node);
    else if (type === 'child') parts._announce(member, frame.child);
    else if (type === 'progress') {
      step(frame);
      drop(frame.cause);
    }
  };

  const member: Member = {
    key,
    process,
    view: views,
    actions,
    nodes,
    status,
    children,
    notes,
    error,
    async run(action, data, { element, ifSeq, id = uuidv7(platform._now()), optimistic: expected, ...wait } = {}) {
      const change = typeof expected === 'object' ? (view: JsonObject) => merge(view, expected) : expected;
      if (change) {
        optimistic.set(id, change);
        show();
      }
      try {
        const frame = { type: 'run', id, instance: key, action, data: data ?? {}, element, ifSeq };
        const { seq, duplicate = false, result } = await parts._commands._command(frame, wait);
        await reached(seq, wait);
        return { ...result, seq, duplicate };
      } finally {
        drop(id);
      }
    },
    async command(type, members?: JsonObject, wait?: WaitOptions) {
      const { seq } = await parts._commands._command({ type, instance: key, ...members }, wait);
      if (type !== 'done') await reached(seq, wait);
    },
    onAction(handler) {
      actionHandlers.add(handler);
      return () => void actionHandlers.delete(handler);
    },
    close: () => parts._release(member),
    _parts: parts,
    _reached: reached,
    _channel: INSTANCE + key,
    _uses: 0,
    _ended: () => !/^(created|started|onHold)$/.test(status.get() ?? 'started'),
    _receive(frame: InstanceFrame) {
      if (frame.type === 'snapshot') replace(frame);
      else if (frame.type === 'resync') member._cursor = undefined;
      else if ('element' in frame) notes.set({ ...notes.get(), [notePlace(frame)]: frame });
      else if (frame.type !== 'live') advance(frame);
    },
    _lost() {
      resubscribing = false;
      // The next connection receives all of them.
      put(notes, {});
    },
    _fail(reason) {
      if (reason) error.set(reason);
      settle();
    },
    _step: step,
    _addChild(child, info) {
      child._parent ??= key;
      child.process ||= info?.process;
      // The client already knows something newer.
      if (info && !child.status.get()) (child.status as WritableStore<InstanceStatus>).set(info.status);
      if (!children.get().includes(child)) children.set([...children.get(), child]);
    },
    _deliverSoon: deliverSoon,
  };
  return member;
}
