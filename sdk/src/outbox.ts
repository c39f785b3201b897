// **The client paces itself at four fifths of the rate it is given**, as what a network delays arrives
// in heaps. Tokens go first, then what the user does, then subscriptions; what does not fit into
// `hello` is such a subscription.

import { jitter } from './backoff.js';
import { failure, StepwireError } from './error.js';
import type { ClientFrame, ErrorFrame, ReplyFrame, ServerFrame, WelcomeFrame } from './frames.js';
import type { WaitOptions } from './options.js';
import type { Parts } from './parts.js';
import { type Alarm, alarm, limit } from './platform.js';
import { uuidv7 } from './uuid.js';

/** The server's allowance is not used up whole: what the network delays arrives in heaps. */
const SHARE = 0.8;
/** A command that the server had no room for is sent again this often: for about 20 s, at most 46 s. */
const TRIES = 8;

/** The length of a frame on the wire. */
export const bytes = (frame: unknown): number => new TextEncoder().encode(JSON.stringify(frame)).length;

/** Which frames go first: tokens, then what the user does, then subscriptions. */
export const TOKENS = 0;
export const COMMANDS = 1;
export const SUBSCRIPTIONS = 2;

/** What a command asks of the outbox. */
export interface Sending extends WaitOptions {
  _lane?: typeof TOKENS | typeof COMMANDS | typeof SUBSCRIPTIONS;
  /**
   * Whether a new connection, or a server that has room again, is sent it anew. Subscriptions are not: `hello` names them. A
   * token is sent anew on its own connection only: the `hello` of another one brings one.
   */
  _again?: boolean;
}

interface Pending {
  _frame: ClientFrame & { id: string };
  _lane: number;
  _again: boolean;
  /** Waits in its lane, or was sent on this connection. */
  _state?: 'queued' | 'sent' | undefined;
  _tries: number;
  _timer: Alarm;
  /** Those who wait for the answer. */
  _waiters: Set<(error: StepwireError | undefined, reply?: ReplyFrame) => void>;
}

export type Outbox = ReturnType<typeof outbox>;

/**
 * The commands that wait for their answers: sent in order, no faster than the server allows, and again, with the same ids, after
 * a lost connection or when the server had no room. Each may have a limit of time of its own.
 */
export function outbox(parts: Parts) {
  const { _platform: platform, _options: options } = parts;
  const { _now: now, _random: random } = platform;
  const pump = alarm(platform);
  const all = new Map<string, Pending>();
  let open = false;
  let ended: StepwireError | undefined;
  let longest = Infinity;
  /** The allowance: a message in so many milliseconds, and how far ahead of that pace a burst may be. */
  let pace = 0;
  let ahead = 0;
  /** When all that was sent would be, at that pace. */
  let due = 0;

  const take = (pending: Pending) => {
    all.delete(pending._frame.id);
    pending._timer();
    if (pending._lane === TOKENS) sendAll();
  };

  const reject = (pending: Pending, error: StepwireError) => {
    take(pending);
    pending._waiters.forEach((tell) => tell(error));
  };

  const enqueue = (pending: Pending) => {
    pending._state ??= 'queued';
    sendAll();
  };

  const send = (pending: Pending) => {
    const { _frame: frame } = pending;
    const length = bytes(frame);
    if (length > longest) {
      return reject(pending, failure('too_large', `expected a message of at most ${longest} bytes, but it has ${length}`));
    }
    due = Math.max(due, now()) + pace;
    pending._state = 'sent';
    parts._wire._send(frame);
  };

  const sendAll = (): void => {
    pump();
    while (open) {
      let next: Pending | undefined;
      let lanes: number = SUBSCRIPTIONS;
      for (const pending of all.values()) {
        // What a token is for would be refused before the server has taken it.
        if (pending._lane === TOKENS) lanes = TOKENS;
        if (pending._state === 'queued' && (!next || pending._lane < next._lane)) next = pending;
      }
      if (!next || next._lane > lanes) return;
      if (parts._visitor?._postponed(next._frame)) continue;
      const wait = Math.ceil(due - ahead - now());
      if (wait > 0) return pump(wait, sendAll);
      send(next);
    }
  };

  /** A refused command left no trace, not even its id: it is sent again as it was. */
  const retry = ({ code, afterMs = 0 }: ErrorFrame, pending: Pending) => {
    const limited = code === 'rate_limited';
    // Whatever else waits would be refused as well.
    if (limited) due = Math.max(due, now() + ahead + Math.max(pace, afterMs));
    const mayRetry = (pending._again || pending._lane === TOKENS) && pending._waiters.size > 0;
    // A command that waits as told gets its turn in the end, however often others were quicker.
    if (!mayRetry || !(limited || (/^(busy|outcome_unknown)$/.test(code) && pending._tries < TRIES))) return false;
    pending._state = undefined;
    pending._timer(afterMs + jitter(limited ? 0 : pending._tries, random()), () => enqueue(pending));
    if (!limited) pending._tries += 1;
    return true;
  };

  return {
    /** Sends a command and resolves to its reply. One that is under way with the same id is waited for instead. */
    _command: (frame: ClientFrame, { _lane = COMMANDS, _again = true, signal, timeout = options.timeout }: Sending = {}) =>
      new Promise<ReplyFrame>((resolve, refuse) => {
        const { type, id = uuidv7(now()) } = frame;
        const over = (late?: boolean) => {
          const cause = late ? parts._wire._lastError.get() : signal?.reason;
          const why = late ? `none came in ${timeout} ms${cause ? `: ${cause.message}` : ''}` : 'the wait was aborted';
          return failure(late ? 'timeout' : 'aborted', `expected an answer to '${type}', but ${why}`, { cause });
        };
        if (ended ?? signal?.aborted) return refuse(ended ?? over());
        const pending: Pending = all.get(id) ?? {
          _frame: { ...frame, id },
          _lane,
          _again,
          _tries: 0,
          _timer: alarm(platform),
          _waiters: new Set(),
        };
        const { _waiters: waiters } = pending;
        const tell = (error: StepwireError | undefined, reply?: ReplyFrame) => {
          end();
          waiters.delete(tell);
          if (error) refuse(error);
          else resolve(reply!);
        };
        const end = limit(platform, { signal, timeout }, (late) => {
          tell(over(late));
          // The answer to a start may still come, and somebody must take care of what it began.
          if (!waiters.size && (pending._state !== 'sent' || type !== 'start')) take(pending);
        });
        all.set(id, pending);
        waiters.add(tell);
        enqueue(pending);
      }),

    /** A connection is there: sends what waits. */
    _opened({ maxMessageBytes = Infinity, rate: { perSecond, burst } = { perSecond: 0, burst: 0 } }: WelcomeFrame) {
      longest = maxMessageBytes;
      pace = perSecond && burst && 1000 / (SHARE * perSecond);
      ahead = pace * Math.max(0, SHARE * burst - 1);
      // The hello was one. What was sent before a cut counts on: the server has one pot for a user's connections.
      due = Math.max(due, now()) + pace;
      open = true;
      sendAll();
    },

    /** The connection is gone; another one will come. */
    _lost({ message, closeCode }: StepwireError) {
      open = false;
      for (const pending of [...all.values()]) {
        // A message that is too big would end the next connection too.
        const tooLarge = pending._state === 'sent' && closeCode === 1009;
        pending._state = undefined;
        pending._timer();
        if (pending._again && !tooLarge && pending._waiters.size) enqueue(pending);
        else reject(pending, failure(tooLarge ? 'too_large' : 'closed', message, { closeCode }));
      }
    },

    /** It is over: nothing is sent any more. */
    _end(error: StepwireError) {
      open = false;
      ended = error;
      pump();
      all.forEach((pending) => reject(pending, error));
    },

    /** Takes the answer to a command; `false` when there is none of that id. */
    _answer(frame: ServerFrame) {
      const { id } = frame as { id?: string };
      const pending = all.get(id!);
      if (!pending) return false;
      if (frame.type === 'reply') {
        parts._visitor?._answered(frame.result);
        take(pending);
        // A start that nobody waited for any more was done: what it began is still good for a start with the same id.
        if (!pending._waiters.size) parts._unused(parts._find(frame.result.instance));
        pending._waiters.forEach((tell) => tell(undefined, frame));
      } else if (!retry(frame as ErrorFrame, pending)) reject(pending, new StepwireError(frame as ErrorFrame));
      return true;
    },
  };
}
