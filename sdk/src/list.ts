import type { StepwireError } from './error.js';
import type { InstanceInfo, ListChangeFrame, ListFrame, ListSnapshotFrame, TaskInfo } from './frames.js';
import { share } from './merge.js';
import type { AnyClient } from './options.js';
import { store, type Store } from './store.js';

/** A list that is open for days would grow without end: beyond this many lines the oldest go, and `more` says so. */
const LONGEST = 1_000;

/**
 * A list that the server keeps up to date, newest first. It is a query and no log: after each gap and each reconnect it begins
 * again with a snapshot; until that comes, what was known is still shown. Lines that did not change keep their identity.
 */
export abstract class LiveList<Line extends { createdAt: string }> {
  readonly #more = store(false);
  readonly #error = store<StepwireError | undefined>(undefined);
  protected readonly lines = store<readonly Line[] | undefined>(undefined);
  /** Whether there are older ones that are not listed. */
  readonly more: Store<boolean> = this.#more;
  /** Why the list cannot be followed. */
  readonly error: Store<StepwireError | undefined> = this.#error;

  /** How often the app opened it and has not closed it. @internal */
  uses = 0;
  /** The number of the last frame applied; `undefined` while a snapshot is awaited. */
  #cursor: number | undefined;
  /** Lines of the newest snapshot. */
  #begun = 0;

  readonly #client: AnyClient;
  readonly #keyOf: (line: Line) => string;

  /** @internal */
  constructor(
    client: AnyClient,
    readonly channel: string,
    keyOf: (line: Line) => string,
  ) {
    this.#client = client;
    this.#keyOf = keyOf;
  }

  /** Ends this use of the list; with the last one the server stops sending its changes. */
  close(): void {
    this.#client.releaseList(this);
  }

  /** Applies a frame of the channel. @internal */
  receive(frame: ListFrame): void {
    if (frame.type === 'resync') return this.lost();
    if (frame.type === 'snapshot') return this.#begin(frame);
    // Frames of types that this client does not know may have no number.
    if (this.#cursor === undefined || !(frame.seq > this.#cursor)) return;
    if (frame.prev !== this.#cursor) return this.#again();
    this.#cursor = frame.seq;
    const changes = this.changesIn(frame);
    if (changes) this.#apply(changes.set, changes.removed);
  }

  /** Waits for a snapshot. @internal */
  lost(): void {
    this.#cursor = undefined;
  }

  /** @internal */
  fail(error: StepwireError | undefined): void {
    this.lost();
    if (error) this.#error.set(error);
  }

  protected abstract linesOf(snapshot: ListSnapshotFrame): Line[];
  /** `undefined` for a frame of an unknown type. */
  protected abstract changesIn(frame: ListChangeFrame): { set: Line[]; removed: string[] } | undefined;

  #begin(snapshot: ListSnapshotFrame): void {
    const lines = this.linesOf(snapshot);
    this.#cursor = snapshot.seq;
    this.#begun = lines.length;
    this.#error.set(undefined);
    this.#more.set(snapshot.more);
    this.#show(lines);
  }

  #apply(set: Line[], removed: string[]): void {
    const gone = new Set(removed);
    const changed = new Map(set.map((line) => [this.#keyOf(line), line]));
    const lines = (this.lines.get() ?? []).filter((line) => !gone.has(this.#keyOf(line)));
    lines.forEach((line, index) => {
      const key = this.#keyOf(line);
      lines[index] = changed.get(key) ?? line;
      changed.delete(key);
    });
    changed.forEach((line) => this.#insert(lines, line));
    if (lines.length > LONGEST) this.#more.set(true);
    this.#show(lines.slice(0, LONGEST));
    // What is not listed yet gets its place when much of the list is done.
    if (this.more.get() && lines.length * 2 < this.#begun) this.#again();
  }

  /** Where it stands by its age; one that is older than all listed may have others before it that are not. */
  #insert(lines: Line[], line: Line): void {
    const created = Date.parse(line.createdAt);
    const index = lines.findIndex((other) => Date.parse(other.createdAt) <= created);
    if (index >= 0) lines.splice(index, 0, line);
    else if (!this.more.get()) lines.push(line);
  }

  #show(lines: readonly Line[]): void {
    const before = this.lines.get();
    const known = new Map(before?.map((line) => [this.#keyOf(line), line]));
    const kept = lines.map((line) => share(known.get(this.#keyOf(line)), line));
    const same = before?.length === kept.length && kept.every((line, index) => line === before[index]);
    if (!same) this.lines.set(kept);
  }

  #again(): void {
    this.lost();
    this.#client.channels.subscribe(this);
  }
}

/** The user tasks that are this user's, or that this user may claim. */
export class TaskList extends LiveList<TaskInfo> {
  /** `undefined` until the server has said it. */
  readonly tasks: Store<readonly TaskInfo[] | undefined> = this.lines;

  /** @internal */
  constructor(client: AnyClient) {
    super(client, 'tasks', ({ element }) => element);
  }

  protected linesOf({ tasks = [] }: ListSnapshotFrame): TaskInfo[] {
    return tasks;
  }

  protected changesIn(frame: ListChangeFrame) {
    return frame.type === 'tasks' ? frame : undefined;
  }
}

/** The instances of one process, or of all. */
export class InstanceList extends LiveList<InstanceInfo> {
  /** `undefined` until the server has said it. */
  readonly instances: Store<readonly InstanceInfo[] | undefined> = this.lines;

  /** @internal */
  constructor(client: AnyClient, process: string) {
    super(client, `process/${process}`, ({ instance }) => instance);
  }

  protected linesOf({ instances = [] }: ListSnapshotFrame): InstanceInfo[] {
    return instances;
  }

  protected changesIn(frame: ListChangeFrame) {
    if (frame.type !== 'instance') return undefined;
    const { type: _type, channel: _channel, seq: _seq, prev: _prev, ...line } = frame;
    return { set: [line], removed: [] };
  }
}
