// One process instance: stores that its frames keep up to date, and commands to it. How it is followed: `channels.ts`.

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
  /** The node that sent it, when known. */
  node: string | undefined;
  body: JsonObject;
}

type ActionHandler = (message: ActionMessage) => boolean | void;
type ActionName<S> = keyof ActionsOf<S> & string;

/** What `run` resolves to: the next step, and the number at which the effect is in the view. */
export interface RunResult extends CommandResult {
  seq: number | undefined;
  /** Whether an earlier sending of the same command had done it already. */
  duplicate: boolean;
}

/** The commands about an instance beside `run`, with what each takes. */
export interface InstanceCommands {
  /** The Action message of this number has been dealt with: snapshots no longer list it. */
  done: { seq: number };
  /** Lets nothing happen until `unhold`. */
  hold: undefined;
  /** Lets it go on: what became due meanwhile is done first. */
  unhold: undefined;
  /** Ends the instance. */
  terminate: undefined;
  /** Ends a subprocess, as its user. */
  dismiss: undefined;
  /** Tries what failed at an element again. */
  retry: { element: string };
  /** Goes on without what failed at an element. */
  skip: { element: string };
  /** Merges data into the instance's, or with `scope` (an active element) into the variables of that, as an operator. */
  patch: { data: JsonObject; scope?: string; ifSeq?: number };
  /** Takes a token to another node of its scope, as an operator. */
  move: { element: string; to: string };
  /** Takes a user task that is nobody's. */
  claim: { element: string };
  /** Gives a user task back. */
  release: { element: string };
  /** Gives a user task to somebody. */
  assign: { element: string; user: string };
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
  /** Drafts of this user, and who has a task open, as the server said last, by their places: see `@stepwire/client/task`. */
  readonly notes: Store<Readonly<Record<string, NoteFrame>>>;
  /** Why the instance cannot be followed, or a process it asked for not be started. */
  readonly error: Store<StepwireError | undefined>;
  /**
   * Runs an action. Resolves when its effect is in the stores. Rejects with a {@link StepwireError}; a lost connection is no
   * reason for that: the command is sent again, with the same id, until the server has answered.
   */
  run<A extends ActionName<S>>(action: A, data?: ActionsOf<S>[A], options?: RunOptions<ViewOf<S>>): Promise<RunResult>;
  /**
   * Sends another command about the instance: `command('claim', { element })`, `command('terminate')`. Resolves, like `run`, when
   * its effect is in the stores.
   */
  command<Type extends keyof InstanceCommands>(
    type: Type,
    ...more: InstanceCommands[Type] extends JsonObject ? [members: InstanceCommands[Type], wait?: WaitOptions] : [members?: undefined, wait?: WaitOptions]
  ): Promise<void>;
  /**
   * Gets the instance's Action messages, also those that came before. A handler that returns true has handled the message;
   * if none does, `onAction` of {@link ConnectOptions} gets it.
   */
  onAction(handler: ActionHandler): () => void;
  /** Ends this use of the instance; with the last one the server stops sending its frames. */
  close(): void;
}

/** Where a note belongs: of one place the newest counts. */
export const notePlace = ({ type, element, action }: { type: NoteFrame['type']; element: string; action?: string }): string =>
  `${type} ${element} ${action}`;

/** An instance as the client keeps it. */
export interface Member extends Instance, Followed {
  /** What it is a part of. */
  readonly _parts: Parts;
  /** Resolves when what was done at this number is in the stores, or when that cannot be, or the wait is over. */
  _reached(seq: number | undefined, wait?: WaitOptions): Promise<void>;
  readonly children: Store<Member[]>;
  process: string | undefined;
  _addChild(child: Member, info?: ChildInfo): void;
  /** Shows the step of a start that is not followed. */
  _step(step: Step): void;
  /** Hands the Action messages over, in a task of its own: a handler set right after `start` sees the first ones too. */
  _deliverSoon(): void;
}

/** Gives each child of an instance to `handler`, also those already there. Returns the function that ends it. */
export function onChild({ children }: Instance<any>, handler: (child: Instance) => void): () => void {
  const seen = new Set<Instance>();
  const look = (all: Instance[]) => all.forEach((child) => seen.has(child) || (seen.add(child), guarded(() => handler(child))));
  look(children.get());
  return children.subscribe(look);
}

/** Makes an instance that is not followed yet. */
export function instance(parts: Parts, key: string, process: string | undefined): Member {
  const { _platform: platform, _channels: channels, _schemas: schemas } = parts;
  const views = store<JsonObject>({});
  const actions = store<AvailableAction[]>([]);
  const nodes = store<ActiveNode[]>([]);
  const status = store<InstanceStatus | undefined>(undefined);
  const children = store<Member[]>([]);
  const error = store<StepwireError | undefined>(undefined);
  const notes = store<Readonly<Record<string, NoteFrame>>>({});
  /** The view that the server has said. */
  let said: JsonObject = {};
  /** By its command: a change that is shown before the server has made it. */
  const optimistic = new Map<unknown, (view: JsonObject) => unknown>();
  let resubscribing = false;
  const waiting = new Map<() => void, number>();
  let undelivered: ActionMessage[] = [];
  const delivered = new Set<number>();
  const actionHandlers = new Set<ActionHandler>();

  const put = <T>(into: WritableStore<T>, value: unknown) => into.set(share(into.get(), value) as T);
  const show = () => put(views, [...optimistic.values()].reduce<unknown>((view, change) => change(view as JsonObject), said));
  const drop = (id: unknown) => optimistic.delete(id) && show();

  /** Waits for the frames of what was done. Frames that are late, or limits that are over, make nothing undone. */
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
    // A started instance that the app has not got yet (its reply is still to come) keeps them.
    if (!undelivered.length || (!member._uses && member._parent === undefined)) return;
    platform._setTimer(() => undelivered.splice(0).forEach(deliver), 0);
  };
  const deliver = (message: ActionMessage) => {
    if ([...actionHandlers].map((handler) => guarded(() => handler(message))).includes(true)) return;
    Promise.resolve(guarded(() => parts._unhandled(message))).catch(error.set);
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
    // Frames of types that this client does not know may have no number.
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
      // In one change: what was expected goes, what came is there.
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
      // The next connection is sent all of them.
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
      // What is known already is newer.
      if (info && !child.status.get()) (child.status as WritableStore<InstanceStatus>).set(info.status);
      if (!children.get().includes(child)) children.set([...children.get(), child]);
    },
    _deliverSoon: deliverSoon,
  };
  return member;
}
