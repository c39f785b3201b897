import { jitter } from './backoff.js';
import type { StepwireError } from './error.js';
import type { ClientFrame, InstanceFrame, ListFrame, ReplyFrame, ResumePoint } from './frames.js';
import { type Outbox, SUBSCRIPTIONS } from './outbox.js';
import type { Platform } from './platform.js';

/** What is followed: an instance or a list. */
export interface Followed {
  readonly channel: string;
  /** The number of the last frame applied; `undefined` while a snapshot is awaited, and for what no cursor resumes. */
  cursor?: number | undefined;
  /** How often the app opened it and has not closed it. */
  uses: number;
  /** Whether little more will come. */
  readonly ended?: boolean;
  receive(frame: InstanceFrame | ListFrame): void;
  /** What the old connection still had to say will never come. */
  lost(): void;
  /** Nothing more will come: the server does not let this client follow it, or (without error) the app closed the client. */
  fail(error: StepwireError | undefined): void;
}

/** A subscription that the server refused for the moment. */
interface Refusal {
  tries: number;
  timer: unknown;
}

/** How the channel of an instance begins. */
export const INSTANCE = 'instance/';

/**
 * The channels that a client follows: all that ask for the same one share it. A new connection goes on with all of them; what the
 * server refuses is tried again when that makes sense, else let go of.
 */
export class Channels {
  readonly #followed = new Map<string, Followed>();
  readonly #refusals = new Map<string, Refusal>();
  /** Those that the server was asked for by name, on this connection. */
  #asked = new Set<string>();
  readonly #outbox: Outbox;
  readonly #platform: Platform;
  #live = false;

  constructor(outbox: Outbox, platform: Platform) {
    this.#outbox = outbox;
    this.#platform = platform;
  }

  get(channel: string): Followed | undefined {
    return this.#followed.get(channel);
  }

  /** Whether it is this one that is followed, and no other of its name. */
  has(followed: Followed): boolean {
    return this.get(followed.channel) === followed;
  }

  add(followed: Followed): void {
    this.#followed.set(followed.channel, followed);
  }

  forget(followed: Followed): void {
    if (this.has(followed)) this.#followed.delete(followed.channel);
  }

  /** All of them: first those of which more may come. */
  all(): Followed[] {
    return [...this.#followed.values()].sort((a, b) => Number(a.ended ?? false) - Number(b.ended ?? false));
  }

  /** Asks for what comes after the cursor, or for a snapshot. Without a connection the next one is asked. */
  subscribe(followed: Followed): void {
    if (!this.#live) return;
    const { channel, cursor } = followed;
    this.#platform.clearTimer(this.#refusals.get(channel)?.timer);
    this.#asked.add(channel);
    this.#send({ type: 'subscribe', channel, after: cursor }).then(
      () => this.#refusals.delete(channel),
      (error: StepwireError) => this.has(followed) && this.refused(channel, error),
    );
  }

  /** Tells the server not to send it any more. Of a tree that takes its root, and those that it was asked for by name. */
  unsubscribe({ channel }: Followed, root = true): void {
    if (!this.#live || !(this.#asked.delete(channel) || root)) return;
    this.#send({ type: 'unsubscribe', channel }).catch(() => undefined);
  }

  /** The server sends nothing of this channel. If that may change, it is asked again; else that was it. */
  refused(channel: string, error: StepwireError): void {
    const followed = this.get(channel);
    // After a lost connection the next one is asked.
    if (!followed || error.code === 'closed') return;
    if (!error.retryable) {
      this.forget(followed);
      return followed.fail(error);
    }
    const tries = this.#refusals.get(channel)?.tries ?? 0;
    const wait = (error.afterMs ?? 0) + jitter(tries, this.#platform.random());
    const timer = this.#platform.setTimer(() => this.has(followed) && this.subscribe(followed), wait);
    this.#refusals.set(channel, { tries: tries + 1, timer });
  }

  /** The cursors for a `hello`: of those that may be named in it, as many as fit into `room` bytes. */
  resume(room: number, mayBeNamed: (followed: Followed) => boolean): ResumePoint[] {
    this.#asked = new Set();
    const points: ResumePoint[] = [];
    for (const followed of this.all()) {
      const { channel, cursor } = followed;
      if (cursor === undefined || !mayBeNamed(followed)) continue;
      const point = { instance: channel.slice(INSTANCE.length), after: cursor };
      room -= JSON.stringify(point).length + 1;
      if (room < 0) break;
      points.push(point);
      this.#asked.add(channel);
    }
    return points;
  }

  /** The new connection is there: it is asked for all that the `hello` did not name. */
  welcomed(): void {
    this.#live = true;
    for (const followed of this.all()) {
      // A child of which nothing is known yet comes with its parent.
      const wanted = followed.cursor !== undefined || followed.uses > 0;
      if (wanted && !this.#asked.has(followed.channel)) this.subscribe(followed);
    }
  }

  lost(): void {
    this.#live = false;
    this.#refusals.forEach(({ timer }) => this.#platform.clearTimer(timer));
    this.#followed.forEach((followed) => followed.lost());
  }

  /** It is over. */
  end(error: StepwireError): void {
    this.lost();
    const all = this.all();
    this.#followed.clear();
    const byTheApp = error.code === 'closed' && error.closeCode === undefined;
    all.forEach((followed) => followed.fail(byTheApp ? undefined : error));
  }

  #send(frame: ClientFrame): Promise<ReplyFrame> {
    return this.#outbox.command(frame, { lane: SUBSCRIPTIONS, again: false, timeout: Infinity });
  }
}
