import { afterClose, backoff } from './backoff.js';
import { StepwireError } from './error.js';
import type { ClientFrame, JsonObject, ServerFrame, WelcomeFrame } from './frames.js';
import type { ConnectionStatus, ConnectOptions, Direction } from './options.js';
import { browser, type Platform, type Socket } from './platform.js';
import { store } from './store.js';
import { memoryTokenStore, type TokenStore } from './token.js';
import { uuidv7 } from './uuid.js';

const SUBPROTOCOL = 'stepwire.v1.json';
const WELCOME_MS = 10_000;
/** A connection that lived this long was a good one: the next loss starts with short waits again. */
const STABLE_MS = 5_000;
const RENEW_EARLY_MS = 30_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What a connection asks of, and tells, the client that owns it. */
export interface ConnectionOwner {
  /** Cursors for the `hello`. */
  resume(): { instance: string; after: number }[];
  welcomed(welcome: WelcomeFrame): void;
  received(frame: ServerFrame): void;
  /** The connection was lost and another one will be made. */
  lost(code: number): void;
  /** It is over: no other connection will be made. */
  stopped(error: StepwireError): void;
}

/**
 * One websocket at a time, made again whenever it is lost: hello, token, sign of life, waiting times. What the frames mean
 * is the client's affair.
 */
export class Connection {
  readonly status = store<ConnectionStatus>('connecting');
  readonly tokens: TokenStore;
  readonly platform: Platform;
  private socket: Socket | undefined;
  private timer: unknown;
  private renewTimer: unknown;
  private renewId: string | undefined;
  /** Counts the attempts: what an older one still finishes is ignored. */
  private attempt = 0;
  private tries = 0;
  private notBefore = 0;
  private welcomedAt: number | undefined;
  private silenceMs = WELCOME_MS;
  private log: string | undefined;
  private lastClose: number | undefined;
  private byeMs: number | undefined;
  private refused = false;
  private readonly unwake: () => void;

  constructor(
    private readonly options: ConnectOptions,
    private readonly owner: ConnectionOwner,
  ) {
    this.platform = options.platform ?? browser;
    this.tokens = options.tokenStore ?? memoryTokenStore();
    this.unwake = this.platform.onWake(() => this.wake());
    void this.open();
  }

  /** Sends a frame now; the caller knows that the connection is live. */
  send(frame: ClientFrame): void {
    this.trace('out', frame);
    this.socket?.send(JSON.stringify(frame));
  }

  /** Ends it for good. `error` goes to whoever still waits. */
  stop(error: StepwireError, status: ConnectionStatus = 'signedOut'): void {
    this.unwake();
    this.leave(1000);
    this.status.set(status);
    this.owner.stopped(error);
  }

  private async open(): Promise<void> {
    this.platform.clearTimer(this.timer);
    const attempt = ++this.attempt;
    const { getToken, url } = this.options;
    let token: string | undefined;
    let address: string;
    try {
      token = getToken ? await getToken(this.refused) : this.tokens.get();
      address = typeof url === 'function' ? await url() : url;
    } catch (error) {
      if (attempt !== this.attempt) return;
      if (error instanceof StepwireError && error.code === 'unauthenticated') this.stop(error);
      else this.retry(1006);
      return;
    }
    if (attempt !== this.attempt) return;
    const socket = this.platform.open(address, SUBPROTOCOL);
    this.socket = socket;
    this.silenceMs = WELCOME_MS;
    this.watch();
    const { log, lastClose } = this;
    socket.onopen = () =>
      this.send({ type: 'hello', token, client: this.options.client, log, resume: this.owner.resume(), lastClose });
    socket.onmessage = ({ data }) => {
      if (socket === this.socket) this.receive(JSON.parse(String(data)) as ServerFrame);
    };
    socket.onclose = ({ code, reason }) => {
      if (socket === this.socket) this.closed(code, reason);
    };
  }

  private receive(frame: ServerFrame): void {
    this.trace('in', frame);
    this.watch();
    switch (frame.type) {
      case 'ping':
        return this.send({ type: 'pong' });
      case 'bye':
        this.byeMs = frame.reconnectAfterMs;
        return;
      case 'welcome':
        return this.welcome(frame);
      case 'reply':
        if (frame.id !== this.renewId) break;
        return this.renewBefore((frame.result as { expiresAt?: string }).expiresAt);
    }
    this.owner.received(frame);
  }

  private welcome(frame: WelcomeFrame): void {
    this.log = frame.log;
    this.refused = false;
    this.welcomedAt = this.platform.now();
    this.silenceMs = 2_000 * frame.pingSeconds;
    this.watch();
    this.renewBefore(frame.expiresAt);
    // First what waits is sent, then the app hears that it may send more.
    this.owner.welcomed(frame);
    this.status.set('live');
  }

  /** Any frame is a sign of life; without one the connection is given up, as some networks never report a loss. */
  private watch(): void {
    this.platform.clearTimer(this.timer);
    this.timer = this.platform.setTimer(() => this.closed(4000, 'no sign of life'), this.silenceMs);
  }

  private renewBefore(expiresAt: string | null | undefined): void {
    this.platform.clearTimer(this.renewTimer);
    if (!expiresAt || !this.options.getToken) return;
    const left = Date.parse(expiresAt) - this.platform.now();
    const wait = Math.max(left / 2, left - RENEW_EARLY_MS);
    this.renewTimer = this.platform.setTimer(() => void this.renew(), Math.min(wait, LONGEST_TIMER_MS));
  }

  private async renew(): Promise<void> {
    const attempt = this.attempt;
    try {
      const token = await this.options.getToken?.(false);
      if (attempt !== this.attempt || this.status.get() !== 'live') return;
      this.renewId = uuidv7(this.platform.now());
      this.send({ type: 'auth', id: this.renewId, token });
    } catch {
      // At its expiry the server closes with 4401, and the token is asked for once more.
    }
  }

  private closed(code: number, reason: string): void {
    this.leave(code === 4000 ? 4000 : undefined);
    this.lastClose = code;
    const next = afterClose(code);
    if (next === 'stop' || (next === 'renewToken' && this.refused)) {
      const message = reason || `expected a connection that the server accepts, but it closed it with ${code}`;
      return this.stop(new StepwireError({ code: code === 4403 ? 'forbidden' : 'unauthenticated', message }));
    }
    this.owner.lost(code);
    if (next === 'renewToken') {
      this.refused = true;
      if (!this.options.getToken) this.tokens.set(undefined);
    }
    this.retry(code);
  }

  private retry(code: number): void {
    const now = this.platform.now();
    if (this.welcomedAt !== undefined && now - this.welcomedAt >= STABLE_MS) this.tries = 0;
    this.welcomedAt = undefined;
    const wait = code === 4401 ? 0 : (this.byeMs ?? backoff(code, this.tries++, this.platform.random()));
    this.notBefore = this.byeMs !== undefined || code === 4429 ? now + wait : now;
    this.byeMs = undefined;
    this.platform.clearTimer(this.timer);
    this.timer = this.platform.setTimer(() => void this.open(), wait);
    this.status.set(this.platform.online() ? 'reconnecting' : 'offline');
  }

  private wake(): void {
    const status = this.status.get();
    const waiting = !this.socket && (status === 'reconnecting' || status === 'offline');
    if (waiting && this.platform.now() >= this.notBefore) void this.open();
  }

  private leave(code?: number): void {
    this.attempt += 1;
    this.platform.clearTimer(this.timer);
    this.platform.clearTimer(this.renewTimer);
    const socket = this.socket;
    this.socket = undefined;
    if (code !== undefined) socket?.close(code);
  }

  private trace(direction: Direction, frame: ClientFrame | ServerFrame): void {
    const { debug } = this.options;
    if (!debug) return;
    const shown = JSON.parse(
      JSON.stringify(frame, (name, value: unknown) => (isSecret(name, value) ? '…' : value)),
    ) as JsonObject;
    if (debug === true) console.debug(direction === 'in' ? '←' : '→', shown);
    else debug(direction, shown);
  }
}

function isSecret(name: string, value: unknown): boolean {
  return (name === 'token' || name === 'nonce') && typeof value === 'string';
}
