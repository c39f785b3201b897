import { jitter } from './backoff.js';
import { failure, StepwireError } from './error.js';
import type { ClientFrame, ErrorFrame, ReplyFrame, WelcomeFrame } from './frames.js';
import type { WaitOptions } from './options.js';
import type { Platform } from './platform.js';
import { uuidv7 } from './uuid.js';

/** The server's allowance is not used up whole: what the network delays arrives in heaps. */
const SHARE = 0.8;
/** A command that the server had no room for is sent again this often: for about 20 s, at most 46 s. */
const TRIES = 8;
/** What a timer can hold; longer waits are for ever. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The length of a frame on the wire. */
export const bytes = (frame: ClientFrame): number => new TextEncoder().encode(JSON.stringify(frame)).length;

/** Which frames go first: tokens, then what the user does, then subscriptions. */
export const TOKENS = 0;
export const COMMANDS = 1;
export const SUBSCRIPTIONS = 2;
export type Lane = typeof TOKENS | typeof COMMANDS | typeof SUBSCRIPTIONS;

/** What a command asks of the outbox. */
export interface Sending extends WaitOptions {
  lane?: Lane;
  /** Whether a new connection, or a server that has room again, is sent it anew. Subscriptions are not: `hello` names them. */
  again?: boolean;
}

interface Waiter {
  resolve(reply: ReplyFrame): void;
  reject(error: StepwireError): void;
}

interface Pending {
  frame: ClientFrame;
  lane: Lane;
  again: boolean;
  queued: boolean;
  sent: boolean;
  tries: number;
  timer?: unknown;
  waiters: Set<Waiter>;
}

/** What an outbox asks of, and tells, the client that owns it. */
export interface OutboxOwner {
  readonly platform: Platform;
  /** Sends a frame now. */
  transmit(frame: ClientFrame): void;
  /** The answer to a start that nobody waits for any more. */
  abandoned(reply: ReplyFrame): void;
  /** Why there is no connection. */
  trouble(): StepwireError | undefined;
}

/**
 * The commands that wait for their answers: sent in order, no faster than the server allows, and again, with the same ids, after
 * a lost connection or when the server had no room. Each may have a limit of time of its own.
 */
export class Outbox {
  readonly #owner: OutboxOwner;
  readonly #timeout: number | undefined;
  readonly #pending = new Map<string, Pending>();
  #lanes: string[][] = [[], [], []];
  #open = false;
  #ended: StepwireError | undefined;
  #longest = Infinity;
  /** The allowance: messages now, at most, and new ones a millisecond. */
  #level = 0;
  #size = Infinity;
  #refill = 0;
  #filled = 0;
  /** The server has said that before this time it takes nothing more. */
  #notBefore = 0;
  #timer: unknown;

  constructor(owner: OutboxOwner, timeout: number | undefined) {
    this.#owner = owner;
    this.#timeout = timeout;
  }

  /** Sends a command and resolves to its reply. One that is under way with the same id is waited for instead. */
  command(
    frame: ClientFrame,
    { lane = COMMANDS, again = true, signal, timeout = this.#timeout }: Sending = {},
  ): Promise<ReplyFrame> {
    const { platform } = this.#owner;
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended);
      const aborted = () =>
        failure('aborted', `the wait for an answer to '${frame.type}' was aborted`, { cause: signal?.reason });
      if (signal?.aborted) return reject(aborted());
      const id = frame.id ?? uuidv7(platform.now());
      let pending = this.#pending.get(id);
      if (!pending) {
        pending = { frame: { ...frame, id }, lane, again, queued: false, sent: false, tries: 0, waiters: new Set() };
        this.#pending.set(id, pending);
      }
      const { waiters } = pending;
      const end = () => {
        waiters.delete(waiter);
        platform.clearTimer(timer);
        signal?.removeEventListener('abort', abort);
      };
      const waiter: Waiter = {
        resolve: (reply) => (end(), resolve(reply)),
        reject: (error) => (end(), reject(error)),
      };
      const giveUp = (error: StepwireError) => {
        waiter.reject(error);
        // The answer to a start may still come, and somebody must take care of what it began.
        if (waiters.size === 0 && !(pending.sent && frame.type === 'start')) this.#take(id);
      };
      const abort = () => giveUp(aborted());
      const late = () => giveUp(failure('timeout', this.#lateness(frame.type, timeout!), { cause: this.#owner.trouble() }));
      const timer = timeout === undefined || timeout > LONGEST_TIMER_MS ? undefined : platform.setTimer(late, timeout);
      signal?.addEventListener('abort', abort);
      waiters.add(waiter);
      this.#enqueue(id, pending);
    });
  }

  /** Instances that waiting commands are about. */
  *instances(): Iterable<string> {
    for (const { frame } of this.#pending.values()) if (typeof frame.instance === 'string') yield frame.instance;
  }

  /** A connection is there: sends what waits. */
  opened({ maxMessageBytes = Infinity, rate }: WelcomeFrame): void {
    const limited = rate !== undefined && rate.perSecond > 0 && rate.burst > 0;
    this.#longest = maxMessageBytes;
    this.#size = limited ? Math.max(1, SHARE * rate.burst) : Infinity;
    this.#refill = limited ? (SHARE * rate.perSecond) / 1000 : 0;
    // The hello was one.
    this.#level = Math.max(0, this.#size - 1);
    this.#filled = this.#owner.platform.now();
    this.#open = true;
    this.#pump();
  }

  /** The connection is gone; another one will come. */
  lost(code: number): void {
    this.#open = false;
    this.#lanes = [[], [], []];
    for (const [id, pending] of [...this.#pending]) {
      // A message that is too big would end the next connection too.
      const tooLarge = pending.sent && code === 1009;
      pending.queued = pending.sent = false;
      this.#owner.platform.clearTimer(pending.timer);
      if (pending.again && !tooLarge && pending.waiters.size > 0) this.#enqueue(id, pending);
      else
        this.#reject(
          id,
          failure(tooLarge ? 'too_large' : 'closed', `the connection was closed with ${code}`, { closeCode: code }),
        );
    }
  }

  /** It is over: nothing is sent any more. */
  end(error: StepwireError): void {
    this.#open = false;
    this.#ended = error;
    this.#owner.platform.clearTimer(this.#timer);
    for (const id of [...this.#pending.keys()]) this.#reject(id, error);
  }

  /** Takes the answer to a command; `false` when there is none of that id. */
  answer(frame: ReplyFrame | (ErrorFrame & { id: string })): boolean {
    const pending = this.#pending.get(frame.id);
    if (!pending) return false;
    if (frame.type === 'reply') {
      this.#take(frame.id);
      if (pending.waiters.size === 0) this.#owner.abandoned(frame);
      pending.waiters.forEach((waiter) => waiter.resolve(frame));
    } else if (!this.#retry(frame, pending)) this.#reject(frame.id, new StepwireError(frame));
    return true;
  }

  /** A refused command left no trace, not even its id: it is sent again as it was. */
  #retry({ id, code, afterMs = 0 }: ErrorFrame & { id: string }, pending: Pending): boolean {
    const { platform } = this.#owner;
    const limited = code === 'rate_limited';
    if (limited) {
      // Whatever else waits would be refused as well.
      this.#notBefore = platform.now() + afterMs;
      this.#level = Math.min(this.#level, this.#refill > 0 ? 0 : Infinity);
    }
    if (!pending.again || pending.waiters.size === 0 || !(limited || code === 'busy') || pending.tries >= TRIES) return false;
    pending.sent = false;
    const wait = afterMs + jitter(limited ? 0 : pending.tries, platform.random());
    pending.tries += 1;
    pending.timer = platform.setTimer(() => this.#enqueue(id, pending), wait);
    return true;
  }

  #enqueue(id: string, pending: Pending): void {
    if (pending.sent || pending.queued) return;
    pending.queued = true;
    this.#lanes[pending.lane]!.push(id);
    this.#pump();
  }

  #pump(): void {
    const { platform } = this.#owner;
    platform.clearTimer(this.#timer);
    while (this.#open) {
      const lane = this.#lanes.find(({ length }) => length > 0);
      if (!lane) return;
      const wait = this.#wait();
      if (wait > 0) {
        this.#timer = platform.setTimer(() => this.#pump(), wait);
        return;
      }
      const id = lane.shift()!;
      const pending = this.#pending.get(id);
      if (pending) this.#send(id, pending);
    }
  }

  /** Milliseconds until one more message may be sent. */
  #wait(): number {
    const now = this.#owner.platform.now();
    const passed = Math.max(0, now - this.#filled);
    this.#level = Math.min(this.#size, this.#level + passed * this.#refill);
    this.#filled = Math.max(now, this.#filled);
    const refilled = this.#level >= 1 ? 0 : Math.ceil((1 - this.#level) / this.#refill);
    return Math.max(refilled, this.#notBefore - now);
  }

  #send(id: string, pending: Pending): void {
    const { frame } = pending;
    const size = bytes(frame);
    if (size > this.#longest) {
      return this.#reject(id, failure('too_large', `expected a message of at most ${this.#longest} bytes, but it has ${size}`));
    }
    this.#level -= 1;
    pending.queued = false;
    pending.sent = true;
    this.#owner.transmit(frame);
  }

  #reject(id: string, error: StepwireError): void {
    this.#take(id)?.waiters.forEach((waiter) => waiter.reject(error));
  }

  #take(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    this.#owner.platform.clearTimer(pending?.timer);
    return pending;
  }

  #lateness(type: string, timeout: number): string {
    const trouble = this.#owner.trouble();
    return `expected an answer to '${type}' within ${timeout} ms, but ${trouble ? `there is no connection: ${trouble.message}` : 'none came'}`;
  }
}
