// **The client limits itself to four fifths of the rate it is given**, as messages delayed by a network arrive together. Tokens go
// first, then user commands, then subscriptions; subscriptions that do not fit into `hello` are sent this way.

import { jitter } from './backoff.js';
import { failure, StepwireError } from './error.js';
import type { ClientFrame, ErrorFrame, ReplyFrame, ServerFrame, WelcomeFrame } from './frames.js';
import type { WaitOptions } from './options.js';
import type { Parts } from './parts.js';
import { type Alarm, alarm, limit } from './platform.js';
import { uuidv7 } from './uuid.js';

/** The server's allowance is not used up completely: messages delayed by the network arrive together. */
const SHARE = 0.8;
/** How often a command answered `busy` is sent again: for about 20 s, at most 46 s. */
const TRIES = 8;

/** The length of a frame in transit. */
export const bytes = (frame: unknown): number => new TextEncoder().encode(JSON.stringify(frame)).length;

/** The order of frames: tokens, then user commands, then subscriptions. */
export const TOKENS = 0;
export const COMMANDS = 1;
export const SUBSCRIPTIONS = 2;

/** How a command is to be sent. */
export interface Sending extends WaitOptions {
  _lane?: typeof TOKENS | typeof COMMANDS | typeof SUBSCRIPTIONS;
  /**
   * Whether it is sent again on a new connection, or when a busy server has room. Subscriptions are not: `hello` names them. A
   * token is sent again on its own connection only: the `hello` of another one carries one.
   */
  _again?: boolean;
}

interface Pending {
  _frame: ClientFrame & { id: string };
  _lane: number;
  _again: boolean;
  /** Whether it waits in its lane or was sent on this connection. */
  _state?: 'queued' | 'sent' | undefined;
  _tries: number;
  _timer: Alarm;
  /** Those who wait for the answer. */
  _waiters: Set<(error: StepwireError | undefined, reply?: ReplyFrame) => void>;
}

export type Outbox = ReturnType<typeof outbox>;

/**
 * The commands that wait for their answers: sent in order, no faster than the server allows, and again, with the same ids, after a
 * lost connection or when the server was busy. Each may have its own time limit.
 */
export function outbox(parts: Parts) {
  const { _platform: platform, _options: options } = parts;
  const { _now: now, _random: random } = platform;
  const pump = alarm(platform);
  const all = new Map<string, Pending>();
  let open = false;
  let ended: StepwireError | undefined;
  let longest = Infinity;
  /** The allowance: milliseconds per message, and how far a burst may be ahead of that pace. */
  let pace = 0;
  let ahead = 0;
  /** When everything sent so far would have been sent at that pace. */
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
        // Commands that depend on a token would be refused before the server has accepted it.
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

  /** A refused command left no trace, not even its id: it is sent again unchanged. */
  const retry = ({ code, afterMs = 0 }: ErrorFrame, pending: Pending) => {
    const limited = code === 'rate_limited';
    // Everything else that waits would be refused as well.
    if (limited) due = Math.max(due, now() + ahead + Math.max(pace, afterMs));
    const mayRetry = (pending._again || pending._lane === TOKENS) && pending._waiters.size > 0;
    // A command that waits as told is accepted eventually, however often others were quicker.
    if (!mayRetry || !(limited || (/^(busy|outcome_unknown)$/.test(code) && pending._tries < TRIES))) return false;
    pending._state = undefined;
    pending._timer(afterMs + jitter(limited ? 0 : pending._tries, random()), () => enqueue(pending));
    if (!limited) pending._tries += 1;
    return true;
  };

  return {
    /** Sends a command and resolves to its reply. If one with the same id is in progress, it waits for that instead. */
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
          // A copy: the app may change its objects, but what is sent again stays as it was. Data that JSON cannot hold throw here.
          _frame: JSON.parse(JSON.stringify({ ...frame, id })),
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
          // The answer to a start may still arrive, and the instance it started must then be released.
          if (!waiters.size && (pending._state !== 'sent' || type !== 'start')) take(pending);
        });
        all.set(id, pending);
        waiters.add(tell);
        enqueue(pending);
      }),

    /** There is a connection: sends what waits. */
    _opened({ maxMessageBytes = Infinity, rate: { perSecond, burst } = { perSecond: 0, burst: 0 } }: WelcomeFrame) {
      longest = maxMessageBytes;
      pace = perSecond && burst && 1000 / (SHARE * perSecond);
      ahead = pace * Math.max(0, SHARE * burst - 1);
      // The hello was one. Messages of earlier connections still count: the server has one allowance for all connections of a user.
      due = Math.max(due, now()) + pace;
      open = true;
      sendAll();
    },

    /** The connection is lost; another one will follow. */
    _lost({ message, closeCode }: StepwireError) {
      open = false;
      for (const pending of [...all.values()]) {
        // A message that is too large would end the next connection too.
        const tooLarge = pending._state === 'sent' && closeCode === 1009;
        pending._state = undefined;
        pending._timer();
        if (pending._again && !tooLarge && pending._waiters.size) enqueue(pending);
        else reject(pending, failure(tooLarge ? 'too_large' : 'closed', message, { closeCode }));
      }
    },

    /** The client has ended: nothing is sent any more. */
    _end(error: StepwireError) {
      open = false;
      ended = error;
      pump();
      all.forEach((pending) => reject(pending, error));
    },

    /** Handles the answer to a command; `false` if no command has its id. */
    _answer(frame: ServerFrame) {
      const { id } = frame as { id?: string };
      const pending = all.get(id!);
      if (!pending) return false;
      if (frame.type === 'reply') {
        parts._visitor?._answered(frame.result);
        take(pending);
        // A start that nobody waits for any more has succeeded: its instance is kept for a start with the same id.
        if (!pending._waiters.size) parts._unused(parts._find(frame.result.instance));
        pending._waiters.forEach((tell) => tell(undefined, frame));
      } else if (!retry(frame as ErrorFrame, pending)) reject(pending, new StepwireError(frame as ErrorFrame));
      return true;
    },
  };
}
