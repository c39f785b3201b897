/** Lists that the server keeps up to date: the tasks of a user, the instances of a process. */
import type { Followed } from './channels.js';
import type { Client, Following } from './client.js';
import type { StepwireError } from './error.js';
import type { InstanceInfo, ListChangeFrame, ListFrame, TaskInfo, Topic } from './frames.js';
import { share } from './merge.js';
import { store, type Store } from './store.js';

export type { Topic } from './frames.js';

/** A list that is open for days would grow without bound: beyond this many lines the oldest are dropped, and `more` says so. */
const LONGEST = 1_000;

/**
 * A list that the server keeps up to date, newest first. It is a query, not a log: after each gap and each reconnect it begins
 * again with a snapshot; until that arrives, the previous lines are still shown. Unchanged lines keep their identity.
 */
export interface LiveList {
  /** Whether there are older ones that are not listed. */
  readonly more: Store<boolean>;
  /** Why the list cannot be followed. */
  readonly error: Store<StepwireError | undefined>;
  /** Ends this use of the list; after the last one the server stops sending its changes. */
  close(): void;
}

/** The user tasks assigned to this user, or that this user may claim. */
export interface TaskList extends LiveList {
  /** `undefined` until the server has sent it. */
  readonly tasks: Store<readonly TaskInfo[] | undefined>;
}

/** The instances of one process, or of all. */
export interface InstanceList extends LiveList {
  /** `undefined` until the server has sent it. */
  readonly instances: Store<readonly InstanceInfo[] | undefined>;
}

type Line = { createdAt: string } & Record<string, unknown>;

/** A list as its client follows it. */
interface FollowedList extends Followed {
  readonly face: TaskList & InstanceList;
}

/** Follows the tasks of this user. All uses share one list; each closes it once. */
export const tasks = (client: Follower): TaskList => open(client, 'tasks');

/** Follows the instances of a process, or with `*` of all; needs role operator or admin. Shared like {@link tasks}. */
export const instances = (client: Follower, process: string): InstanceList => open(client, `process/${process}`);

/** The delay from a change to the next query, in milliseconds: a busy server has changes all the time. */
const CHANGES_MS = 500;

/** A subscription to changes. */
export interface Changes {
  /** What changed last; `undefined` at first and after a gap, when anything may have changed. */
  readonly topics: Store<readonly Topic[] | undefined>;
  /** Why changes are not reported. */
  readonly error: Store<StepwireError | undefined>;
  /** Ends this use. */
  close(): void;
}

/**
 * Reports changes of lists that this user may query from the server: `changed` is called when it is time to query, at most twice a
 * second, also after each reconnect. The query then includes every change reported before.
 */
export function changes(client: Follower, changed: (topics: readonly Topic[] | undefined) => void): Changes {
  const followed = client._follow('changes', (following) => followedChanges(following));
  const stop = followed.queries.subscribe(() => changed(followed.face.topics.get()));
  return {
    ...followed.face,
    close() {
      stop();
      followed.face.close();
    },
  };
}

interface FollowedChanges extends Followed {
  readonly face: Changes;
  /** Counts how often it was time to query. */
  readonly queries: Store<number>;
}

function followedChanges(following: Following): FollowedChanges {
  const topics = store<readonly Topic[] | undefined>(undefined);
  const error = store<StepwireError | undefined>(undefined);
  const queries = store(0);
  let noticed: readonly Topic[] | undefined;
  const followed: FollowedChanges = {
    _channel: 'changes',
    _uses: 0,
    _ended: () => false,
    queries,
    face: { topics, error, close: following._close },
    _lost: () => (noticed = undefined),
    _fail: (reason) => reason && error.set(reason),
    _receive(received) {
      const frame = received as ListFrame;
      if (frame.type === 'changes') {
        noticed = frame.topics;
        setTimeout(() => followed._uses > 0 && following._again(), CHANGES_MS);
      } else if (frame.type === 'snapshot') {
        topics.set(noticed);
        noticed = undefined;
        queries.set(queries.get() + 1);
      }
    },
  };
  return followed;
}

/** A client with any processes. */
type Follower = Client<any>;

const open = (client: Follower, channel: string) =>
  client._follow(channel, (following) => liveList(channel, following)).face;

function liveList(channel: string, following: Following): FollowedList {
  const more = store(false);
  const error = store<StepwireError | undefined>(undefined);
  const lines = store<readonly Line[] | undefined>(undefined);
  const keyOf = (line: Line) => line[channel === 'tasks' ? 'element' : 'instance'];
  /** The number of the last applied frame; `undefined` while waiting for a snapshot. */
  let cursor: number | undefined;
  /** Number of lines of the newest snapshot. */
  let begun = 0;

  const lost = () => (cursor = undefined);
  const again = () => {
    lost();
    following._again();
  };

  const show = (next: readonly Line[]) => {
    const before = lines.get();
    const known = new Map(before?.map((line) => [keyOf(line), line]));
    const kept = next.map((line) => share(known.get(keyOf(line)), line));
    const same = before?.length === kept.length && kept.every((line, index) => line === before[index]);
    if (!same) lines.set(kept);
  };

  /** Inserts a line at the place of its age; before one older than all listed ones there may be others that are not listed. */
  const insert = (into: Line[], line: Line) => {
    const created = Date.parse(line.createdAt);
    const index = into.findIndex((other) => Date.parse(other.createdAt) <= created);
    if (index >= 0) into.splice(index, 0, line);
    else if (!more.get()) into.push(line);
  };

  const apply = (set: Line[], removed: string[]) => {
    const changed = new Map(set.map((line) => [keyOf(line), line]));
    const gone = new Set<unknown>(removed);
    const next = (lines.get() ?? []).filter((line) => !gone.has(keyOf(line)));
    next.forEach((line, index) => {
      const key = keyOf(line);
      next[index] = changed.get(key) ?? line;
      changed.delete(key);
    });
    changed.forEach((line) => insert(next, line));
    if (next.length > LONGEST) more.set(true);
    show(next.slice(0, LONGEST));
    // Lines that are not listed yet are loaded when much of the list is done.
    if (more.get() && next.length * 2 < begun) again();
  };

  const list: FollowedList = {
    _channel: channel,
    _uses: 0,
    _ended: () => false,
    face: { tasks: lines, instances: lines, more, error, close: following._close } as unknown as FollowedList['face'],
    _lost: lost,
    _fail(reason) {
      lost();
      if (reason) error.set(reason);
    },
    _receive(received) {
      const frame = received as ListFrame;
      if (frame.type === 'resync') lost();
      else if (frame.type === 'snapshot') {
        const { seq, tasks, instances = tasks } = frame;
        const next = (instances ?? []) as unknown as Line[];
        cursor = seq;
        begun = next.length;
        error.set(undefined);
        more.set(frame.more);
        show(next);
        // Frames of types unknown to this client may have no number.
      } else if (cursor !== undefined && frame.seq > cursor) {
        if (frame.prev !== cursor) return again();
        cursor = frame.seq;
        change(frame);
      }
    },
  };

  const change = (frame: ListChangeFrame) => {
    if (frame.type === 'tasks') return apply(frame.set as unknown as Line[], frame.removed);
    const { type, channel: _channel, seq: _seq, prev: _prev, ...line } = frame;
    if (type === 'instance') apply([line as unknown as Line], []);
  };
  return list;
}
