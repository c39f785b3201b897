// The channels that a client follows: subscribing, resuming, sharing, releasing. The meaning of their frames: `instance.ts`,
// `lists.ts`.

import { jitter } from './backoff.js';
import type { StepwireError } from './error.js';
import type { ClientFrame, InstanceFrame, ListFrame, ResumePoint } from './frames.js';
import { SUBSCRIPTIONS } from './outbox.js';
import type { Parts } from './parts.js';
import { type Alarm, alarm } from './platform.js';

/** A followed channel: an instance or a list. */
export interface Followed {
  readonly _channel: string;
  /** The number of the last applied frame; `undefined` while waiting for a snapshot, and for channels that cannot be resumed. */
  _cursor?: number | undefined;
  /** How many uses the app has opened and not closed. */
  _uses: number;
  /** Key of the parent of an instance, once the client knows it. */
  _parent?: string | undefined;
  /** Whether hardly any further frames are expected. */
  _ended(): boolean;
  /** Applies a frame. */
  _receive(frame: InstanceFrame | ListFrame): void;
  /** The connection is lost: its outstanding frames will not arrive. */
  _lost(): void;
  /** No further frames: the server does not allow this client to follow it, or (without error) the app closed the client. */
  _fail(error?: StepwireError): void;
}

/** A followed channel with the state of its subscription. */
interface Subscribed extends Followed {
  /** Whether it was subscribed by name on this connection. */
  _subscribed?: boolean;
  /** How many consecutive times the server refused it temporarily, and when it is subscribed again. */
  _refusals?: number;
  _again?: Alarm;
}

/** Prefix of the channel of an instance. */
export const INSTANCE = 'instance/';

/** The key in the channel name of an instance. */
export const keyOf = (channel: string): string => channel.slice(INSTANCE.length);

export type Channels = ReturnType<typeof channels>;

/**
 * The channels that a client follows: all uses of a channel share it. A new connection continues all of them; what the server
 * refuses is tried again if that may succeed, otherwise released.
 */
export function channels(parts: Parts) {
  const { _platform: platform } = parts;
  const followed = new Map<string, Subscribed>();
  let live = false;

  const get = (channel: string) => followed.get(channel);
  /** Whether this very object is followed, not another of the same name. */
  const has = (one: Followed) => get(one._channel) === one;
  const forget = (one: Followed) => has(one) && followed.delete(one._channel);
  /** All of them: first those that expect more frames. */
  const all = () => [...followed.values()].sort((a, b) => +a._ended() - +b._ended());
  const send = (frame: ClientFrame) => parts._commands._command(frame, { _lane: SUBSCRIPTIONS, _again: false, timeout: Infinity });

  /** Requests the frames after the cursor, or a snapshot. Without a connection, the next one does so. */
  const subscribe = (one: Subscribed): void => {
    if (!live) return;
    const { _channel: channel, _cursor: cursor } = one;
    one._again!();
    one._subscribed = true;
    send({ type: 'subscribe', channel, after: cursor }).then(
      () => (one._refusals = 0),
      (error: StepwireError) => has(one) && refused(channel, error),
    );
  };

  /** The server refuses the channel. If that may change, it is subscribed again; otherwise it ends. */
  const refused = (channel: string, error: StepwireError): void => {
    const one = get(channel);
    // After a lost connection, the next one subscribes again.
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

    /** Stops following it, and tells the server. In a tree that applies to its root, and to instances subscribed by name. */
    _leave(one: Subscribed, root = true) {
      forget(one);
      if (live && (one._subscribed || root)) send({ type: 'unsubscribe', channel: one._channel }).catch(() => undefined);
      one._subscribed = false;
    },

    /** The cursors for a `hello`: of the channels that it may name, as many as fit into `room` bytes. */
    _resume(room: number): ResumePoint[] {
      const points: ResumePoint[] = [];
      for (const one of all()) {
        const point = { instance: keyOf(one._channel), after: one._cursor! };
        one._subscribed = one._cursor !== undefined && (parts._visitor?._named(point.instance) ?? true) && (room -= JSON.stringify(point).length + 1) >= 0;
        if (one._subscribed) points.push(point);
      }
      return points;
    },

    /** A new connection is established: subscribes to everything that the `hello` did not name. */
    _welcomed() {
      live = true;
      for (const one of all()) {
        // A child about which nothing is known yet comes with its parent.
        if (!one._subscribed && (one._cursor !== undefined || one._uses > 0)) subscribe(one);
      }
    },

    /** The client has ended. */
    _end(error: StepwireError) {
      lost();
      const ending = all();
      followed.clear();
      const byTheApp = error.code === 'closed' && error.closeCode === undefined;
      ending.forEach((one) => one._fail(byTheApp ? undefined : error));
    },
  };
}
