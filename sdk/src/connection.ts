import { afterClose, backoff } from './backoff.js';
import { type ErrorCode, failure, guarded, StepwireError } from './error.js';
import type { ClientFrame, JsonObject, ResumePoint, ServerFrame, WelcomeFrame } from './frames.js';
import { bytes, LONGEST_TIMER_MS } from './outbox.js';
import type { ConnectionStatus, ConnectOptions, Direction } from './options.js';
import { browser, type Platform, type Socket } from './platform.js';
import { store } from './store.js';
import { uuidv7 } from './uuid.js';

const SUBPROTOCOL = 'stepwire.v1.json';
const WELCOME_MS = 10_000;
/** A connection that lived this long was a good one: the next loss starts with short waits again. */
const STABLE_MS = 5_000;
/** After this time without a connection it is worth telling. */
const LOST_MS = 5_000;
const RENEW_EARLY_MS = 30_000;
/** A `getToken` that always gives the same one is not asked again at once. */
const RENEW_PAUSE_MS = 1_000;
/** How long a device that slept waits for a sign of life. */
const AFTER_SLEEP_MS = 5_000;
/** The longest `hello` the server takes is 128 KiB; a server or a proxy that takes less says 1009. */
const HELLO_BYTES = 128 * 1024;

/** What a connection asks of, and tells, the client that owns it. */
export interface ConnectionOwner {
  /** The token of an anonymous visitor. */
  token(): string | undefined;
  /** The server did not take that token; `false` when there was none. */
  tokenRefused(): boolean;
  /** Cursors for the `hello`, as many as fit into `room` bytes. */
  resume(room: number): ResumePoint[];
  welcomed(welcome: WelcomeFrame): void;
  received(frame: ServerFrame): void;
  /** The connection was lost and another one will be made. */
  lost(code: number): void;
  /** It is over: no other connection will be made. */
  stopped(error: StepwireError): void;
}

/** What the app is told by the code of a close that is final. */
const FINAL: Record<number, [code: ErrorCode, words: string]> = {
  1009: ['too_large', 'a token that is not longer than the server takes'],
  4400: ['bad_request', 'a frame that the server understands'],
  4401: ['unauthenticated', 'a token that the server accepts'],
  4403: ['forbidden', 'a user who may connect'],
  4408: ['unauthenticated', 'a user whose access was not taken away'],
  4409: ['replaced', 'no other connection that takes the place of this one'],
};

/**
 * One websocket at a time, made again whenever it is lost: hello, token, sign of life, waiting times. What the frames mean
 * is the client's affair.
 */
export class Connection {
  readonly status = store<ConnectionStatus>('connecting');
  readonly lastError = store<StepwireError | undefined>(undefined);
  readonly platform: Platform;
  readonly #options: ConnectOptions;
  readonly #owner: ConnectionOwner;
  #socket: Socket | undefined;
  #timer: unknown;
  #renewTimer: unknown;
  #lostTimer: unknown;
  #renewId: string | undefined;
  /** Counts the attempts: what an older one still finishes is ignored. */
  #attempt = 0;
  #tries = 0;
  /** Attempts in a row that failed. */
  #failures = 0;
  /** Whether a timer will make the next attempt. */
  #waiting = false;
  #isLost = false;
  #stopped = false;
  #notBefore = 0;
  #welcomedAt: number | undefined;
  #heardAt = 0;
  #silenceMs = WELCOME_MS;
  #helloBytes = HELLO_BYTES;
  /** How many instances the last `hello` named. */
  #named = 0;
  #address = '';
  #log: string | undefined;
  #lastClose: number | undefined;
  #byeMs: number | undefined;
  /** The server did not take the last token. */
  #refused = false;
  /** What the server or the platform said before it closed. */
  #complaint: unknown;
  readonly #unwake: () => void;

  constructor(options: ConnectOptions, owner: ConnectionOwner) {
    this.#options = options;
    this.#owner = owner;
    this.platform = options.platform ?? browser(options.webSocket);
    this.#unwake = this.platform.onWake(() => this.#wake());
    // The client that makes this connection is to be complete before it is asked for anything.
    queueMicrotask(() => this.#attempt === 0 && void this.#open());
  }

  /** Sends a frame now; the caller knows that the connection is live. */
  send(frame: ClientFrame): void {
    this.#trace('out', frame);
    this.#socket?.send(JSON.stringify(frame));
  }

  /** The server complains about something that no command waits for. */
  complained(error: StepwireError): void {
    this.#complaint = error;
  }

  /** Ends it for good. `error` goes to whoever still waits. */
  stop(error: StepwireError, status: ConnectionStatus = 'closed'): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#unwake();
    this.#leave(1000);
    this.platform.clearTimer(this.#lostTimer);
    this.status.set(status);
    this.#owner.stopped(error);
  }

  async #open(): Promise<void> {
    this.platform.clearTimer(this.#timer);
    this.#waiting = false;
    this.#complaint = undefined;
    const attempt = ++this.#attempt;
    const { getToken, url } = this.#options;
    let token: string | undefined;
    try {
      token = getToken ? await getToken(this.#refused) : this.#owner.token();
      this.#address = typeof url === 'function' ? await url() : url;
    } catch (cause) {
      if (attempt !== this.#attempt) return;
      const error =
        cause instanceof StepwireError
          ? cause
          : failure('unreachable', `expected a token and an address, but: ${String(cause)}`, { cause });
      if (error.code === 'unauthenticated') this.#giveUp(error, 'signedOut');
      else this.#retry(1006, error);
      return;
    }
    if (attempt === this.#attempt) this.#connect(token);
  }

  #connect(token: string | undefined): void {
    let socket: Socket;
    try {
      socket = this.platform.open(this.#address, SUBPROTOCOL);
    } catch (cause) {
      // No websocket, or an address that none can be made for: that stays so.
      const message = `expected the address of a websocket, but '${this.#shownAddress()}' is none: ${String(cause)}`;
      return this.#giveUp(cause instanceof StepwireError ? cause : failure('bad_request', message, { cause }));
    }
    const ifCurrent = (run: () => void) => socket === this.#socket && guarded(run);
    this.#socket = socket;
    this.#silenceMs = WELCOME_MS;
    this.#heard();
    socket.onopen = () => ifCurrent(() => this.#hello(token));
    socket.onmessage = ({ data }) => ifCurrent(() => this.#receive(JSON.parse(String(data)) as ServerFrame));
    // A close follows. Some packages throw what nobody listens to.
    socket.onerror = ({ error, message }) => ifCurrent(() => (this.#complaint = error ?? message));
    socket.onclose = ({ code, reason }) => ifCurrent(() => this.#closed(code, reason));
  }

  #hello(token: string | undefined): void {
    const hello = { type: 'hello', token, client: this.#options.client, log: this.#log, lastClose: this.#lastClose };
    const resume = this.#owner.resume(this.#helloBytes - bytes({ ...hello, resume: [] }));
    this.#named = resume.length;
    this.send({ ...hello, resume });
  }

  #receive(frame: ServerFrame): void {
    this.#trace('in', frame);
    this.#heard();
    switch (frame.type) {
      case 'ping':
        return this.send({ type: 'pong' });
      case 'bye':
        this.#byeMs = frame.reconnectAfterMs;
        return;
      case 'welcome':
        return this.#welcome(frame);
      case 'reply':
        if (frame.id !== this.#renewId) break;
        return this.#renewBefore((frame.result as { expiresAt?: string }).expiresAt);
    }
    this.#owner.received(frame);
  }

  #welcome(frame: WelcomeFrame): void {
    this.#log = frame.log;
    this.#refused = this.#isLost = false;
    this.#failures = 0;
    this.#welcomedAt = this.platform.now();
    this.#silenceMs = 2_000 * frame.pingSeconds;
    this.platform.clearTimer(this.#lostTimer);
    this.#heard();
    this.#renewBefore(frame.expiresAt);
    // First what waits is sent, then the app hears that it may send more.
    this.#owner.welcomed(frame);
    this.lastError.set(undefined);
    this.status.set('live');
  }

  /** Any frame is a sign of life. */
  #heard(): void {
    this.#heardAt = this.platform.now();
    this.#watch(this.#silenceMs);
  }

  /** Without a sign of life the connection is given up, as some networks never report a loss. */
  #watch(ms: number): void {
    this.platform.clearTimer(this.#timer);
    this.#timer = this.platform.setTimer(() => this.#closed(4000, 'no sign of life'), ms);
  }

  #renewBefore(expiresAt: string | null | undefined): void {
    this.platform.clearTimer(this.#renewTimer);
    if (!expiresAt || !this.#options.getToken) return;
    const left = Date.parse(expiresAt) - this.platform.now();
    const wait = Math.max(left / 2, left - RENEW_EARLY_MS, RENEW_PAUSE_MS);
    this.#renewTimer = this.platform.setTimer(() => void this.#renew(), Math.min(wait, LONGEST_TIMER_MS));
  }

  async #renew(): Promise<void> {
    const attempt = this.#attempt;
    try {
      const token = await this.#options.getToken?.(false);
      if (attempt !== this.#attempt || this.status.get() !== 'live') return;
      this.#renewId = uuidv7(this.platform.now());
      this.send({ type: 'auth', id: this.#renewId, token });
    } catch {
      // At its expiry the server closes with 4401, and the token is asked for once more.
    }
  }

  #closed(code: number, reason: string): void {
    const { getToken } = this.#options;
    const welcomed = this.#welcomedAt !== undefined;
    this.#leave(code === 4000 ? 4000 : undefined);
    this.#lastClose = code;
    const next = afterClose(code);
    let final = next === 'stop';
    if (next === 'renewToken') {
      final = getToken ? this.#refused : !welcomed && !this.#owner.tokenRefused();
      this.#refused = true;
    }
    // Nothing was named that could be left out the next time.
    if (code === 1009 && !welcomed) final = this.#named === 0;
    const error = this.#errorOf(code, reason, final, welcomed);
    if (final)
      return this.#giveUp(error, error.code === 'unauthenticated' || error.code === 'forbidden' ? 'signedOut' : 'closed');
    if (code === 1009 && !welcomed) this.#helloBytes /= 2;
    this.#owner.lost(code);
    this.#retry(code, error);
  }

  #errorOf(closeCode: number, reason: string, final: boolean, welcomed: boolean): StepwireError {
    const said = this.#complaint;
    const details = said instanceof Error ? said.message : reason || (typeof said === 'string' ? said : '');
    const words = details && `: ${details}`;
    const more = { closeCode, cause: said };
    if (final) {
      const [code, expected] = FINAL[closeCode] ?? ['closed', 'a connection that the server keeps'];
      const fields = said instanceof StepwireError ? said.fields : undefined;
      return failure(code, `expected ${expected}, but it closed the connection with ${closeCode}${words}`, { ...more, fields });
    }
    if (welcomed)
      return failure('unreachable', `expected the connection to last, but it was closed with ${closeCode}${words}`, more);
    const message = `expected a server at ${this.#shownAddress()}, but the connection was closed with ${closeCode}${words}`;
    return failure(
      'unreachable',
      `${message}; check the address, that the server runs, and that it allows the origin of this page`,
      more,
    );
  }

  /** Without a ticket. */
  #shownAddress(): string {
    return String(this.#address).split('?')[0]!;
  }

  #retry(code: number, error: StepwireError): void {
    const now = this.platform.now();
    const welcomed = this.#welcomedAt !== undefined;
    if (welcomed && now - this.#welcomedAt! >= STABLE_MS) this.#tries = 0;
    this.#welcomedAt = undefined;
    const renewed = code === 4401 && this.#tries === 0;
    const wait = renewed ? 0 : (this.#byeMs ?? backoff(code, this.#tries, this.platform.random()));
    this.#tries += 1;
    this.#notBefore = this.#byeMs !== undefined || code === 4429 ? now + wait : now;
    this.#byeMs = undefined;
    this.#waiting = true;
    this.platform.clearTimer(this.#timer);
    this.#timer = this.platform.setTimer(() => void this.#open(), wait);
    this.#showLoss();
    this.#tell(error, welcomed ? undefined : wait, welcomed);
  }

  #showLoss(): void {
    const before = this.status.get();
    if (before === 'live' || before === 'connecting') {
      const tell = () => {
        this.#isLost = true;
        this.#showLoss();
      };
      this.#lostTimer = this.platform.setTimer(tell, LOST_MS);
    }
    this.status.set(!this.platform.online() ? 'offline' : this.#isLost ? 'lost' : 'reconnecting');
  }

  #tell(error: StepwireError, retryInMs: number | undefined, silent = false): void {
    this.lastError.set(error);
    if (silent) return;
    this.#failures += 1;
    guarded(() => this.#options.onConnectError?.(error, { attempt: this.#failures, retryInMs }));
  }

  #giveUp(error: StepwireError, status: ConnectionStatus = 'closed'): void {
    this.#tell(error, undefined);
    this.stop(error, status);
  }

  #wake(): void {
    const now = this.platform.now();
    if (this.#waiting && now >= this.#notBefore) void this.#open();
    // After a sleep, pings are overdue that would have come; it is not worth waiting long.
    else if (this.#socket && now - this.#heardAt > this.#silenceMs / 2) {
      this.#watch(Math.max(0, Math.min(AFTER_SLEEP_MS, this.#heardAt + this.#silenceMs - now)));
    }
  }

  #leave(code?: number): void {
    this.#attempt += 1;
    this.#waiting = false;
    this.platform.clearTimer(this.#timer);
    this.platform.clearTimer(this.#renewTimer);
    const socket = this.#socket;
    this.#socket = undefined;
    if (code !== undefined) guarded(() => socket?.close(code));
  }

  #trace(direction: Direction, frame: ClientFrame | ServerFrame): void {
    const { debug } = this.#options;
    if (!debug) return;
    const shown = JSON.parse(
      JSON.stringify(frame, (name, value: unknown) => (isSecret(name, value) ? '…' : value)),
    ) as JsonObject;
    if (debug === true) console.debug(direction === 'in' ? '←' : '→', shown);
    else guarded(() => debug(direction, shown));
  }
}

function isSecret(name: string, value: unknown): boolean {
  return (name === 'token' || name === 'nonce') && typeof value === 'string';
}
