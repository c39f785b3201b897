// What a client follows: subscribed, resumed, shared, let go of. What the frames of a channel mean: `instance.ts`, `lists.ts`.

import { jitter } from './backoff.js';
import type { StepwireError } from './error.js';
import type { ClientFrame, InstanceFrame, ListFrame, ResumePoint } from './frames.js';
import { SUBSCRIPTIONS } from './outbox.js';
import type { Parts } from './parts.js';
import { type Alarm, alarm } from './platform.js';

/** What is followed: an instance or a list. */
export interface Followed {
  readonly _channel: string;
  /** The number of the last frame applied; `undefined` while a snapshot is awaited, and for what no cursor resumes. */
  _cursor?: number | undefined;
  /** How often the app opened it and has not closed it. */
  _uses: number;
  /** Key of the parent of an instance, when the client learned it. */
  _parent?: string | undefined;
  /** Whether little more will come. */
  _ended(): boolean;
  /** Takes a frame in. */
  _receive(frame: InstanceFrame | ListFrame): void;
  /** What the old connection still had to say will never come. */
  _lost(): void;
  /** Nothing more will come: the server does not let this client follow it, or (without error) the app closed the client. */
  _fail(error?: StepwireError): void;
}

/** What is known of the subscription beside. */
interface Subscribed extends Followed {
  /** The server was asked for it by name, on this connection. */
  _asked?: boolean;
  /** How often the server refused it for the moment, in a row; and when it is asked again. */
  _refusals?: number;
  _again?: Alarm;
}

/** How the channel of an instance begins. */
export const INSTANCE = 'instance/';

/** The key in the channel of an instance. */
export const keyOf = (channel: string): string => channel.slice(INSTANCE.length);

export type Channels = ReturnType<typeof channels>;

/**
 * The channels that a client follows: all that ask for the same one share it. A new connection goes on with all of them; what the
 * server refuses is tried again when that makes sense, else let go of.
 */
export function channels(parts: Parts) {
  const { _platform: platform } = parts;
  const followed = new Map<string, Subscribed>();
  let live = false;

  const get = (channel: string) => followed.get(channel);
  /** Whether it is this one that is followed, and no other of its name. */
  const has = (one: Followed) => get(one._channel) === one;
  const forget = (one: Followed) => has(one) && followed.delete(one._channel);
  /** All of them: first those of which more may come. */
  const all = () => [...followed.values()].sort((a, b) => +a._ended() - +b._ended());
  const send = (frame: ClientFrame) => parts._commands._command(frame, { _lane: SUBSCRIPTIONS, _again: false, timeout: Infinity });

  /** Asks for what comes after the cursor, or for a snapshot. Without a connection the next one is asked. */
  const subscribe = (one: Subscribed): void => {
    if (!live) return;
    const { _channel: channel, _cursor: cursor } = one;
    one._again!();
    one._asked = true;
    send({ type: 'subscribe', channel, after: cursor }).then(
      () => (one._refusals = 0),
      (error: StepwireError) => has(one) && refused(channel, error),
    );
  };

  /** The server sends nothing of this channel. If that may change, it is asked again; else that was it. */
  const refused = (channel: string, error: StepwireError): void => {
    const one = get(channel);
    // After a lost connection the next one is asked.
    if (!one || error.code === 'closed') return;
    if (!error.retryable) {
      forget(one);
      return one._fail(error);
    }
    one._again!((error.afterMs ?? 0) + jitter(one._refusals!++, platform._random()), () => has(one) && subscribe(one));
  };

  const lost = () => {
    live = false;
    followed.forEach((one) => {
      one._again!();
      one._lost();
    });
  };

  return {
    _get: get,
    _has: has,
    _all: all,
    _subscribe: subscribe,
    _refused: refused,
    _lost: lost,
    _add(one: Subscribed) {
      one._again = alarm(platform);
      one._refusals = 0;
      followed.set(one._channel, one);
    },

    /** Follows it no more, and tells the server. Of a tree that takes its root, and those that it was asked for by name. */
    _leave(one: Subscribed, root = true) {
      forget(one);
      if (live && (one._asked || root)) send({ type: 'unsubscribe', channel: one._channel }).catch(() => undefined);
      one._asked = false;
    },

    /** The cursors for a `hello`: of those that may be named in it, as many as fit into `room` bytes. */
    _resume(room: number): ResumePoint[] {
      const points: ResumePoint[] = [];
      for (const one of all()) {
        const point = { instance: keyOf(one._channel), after: one._cursor! };
        one._asked = one._cursor !== undefined && (parts._visitor?._named(point.instance) ?? true) && (room -= JSON.stringify(point).length + 1) >= 0;
        if (one._asked) points.push(point);
      }
      return points;
    },

    /** The new connection is there: it is asked for all that the `hello` did not name. */
    _welcomed() {
      live = true;
      for (const one of all()) {
        // A child of which nothing is known yet comes with its parent.
        if (!one._asked && (one._cursor !== undefined || one._uses > 0)) subscribe(one);
      }
    },

    /** It is over. */
    _end(error: StepwireError) {
      lost();
      const ending = all();
      followed.clear();
      const byTheApp = error.code === 'closed' && error.closeCode === undefined;
      ending.forEach((one) => one._fail(byTheApp ? undefined : error));
    },
  };
}
