// The websocket and its life cycle: hello, tokens, keep-alive, loss and reconnect. Pending commands: `outbox.ts`; the receivers of
// frames: `client.ts`.

import { backoff, isFinal } from './backoff.js';
import { type ErrorCode, type ErrorDetails, failure, type FieldErrors, guarded, StepwireError } from './error.js';
import type { ClientFrame, JsonObject, ServerFrame } from './frames.js';
import { bytes } from './outbox.js';
import type { ConnectionStatus, Direction } from './options.js';
import type { Parts } from './parts.js';
import { alarm, type Socket } from './platform.js';
import { store } from './store.js';

const SUBPROTOCOL = 'stepwire.v1.json';
const WELCOME_MS = 10_000;
/** How long `getToken` and `url` may take before they are called again: after a sleep, the call they wait for may never return. */
const CALL_TIMEOUT_MS = 30_000;
/** A connection that lasted this long resets the delays: after the next loss they start short again. */
const STABLE_MS = 5_000;
/** After this time without a connection the user should be told. */
const LOST_MS = 5_000;
const RENEW_EARLY_MS = 30_000;
/** The pause before `getToken` is called again if it keeps returning the same token. */
const RENEW_PAUSE_MS = 1_000;
/** How long a device that was asleep waits for a frame. */
const AFTER_SLEEP_MS = 5_000;
/** The longest `hello` that the server accepts is 128 KiB; a server or a proxy that accepts less closes with 1009. */
const HELLO_BYTES = 128 * 1024;

/** The error code for the app of each final close code. */
const FINAL: Record<number, ErrorCode> = {
  1009: 'too_large',
  4400: 'bad_request',
  4401: 'unauthenticated',
  4403: 'forbidden',
  4408: 'unauthenticated',
};

/**
 * One websocket at a time, replaced whenever it is lost: hello, token, keep-alive, delays. The meaning of frames is left to the
 * client.
 */
export function connection(parts: Parts) {
  const { _platform: platform, _options: options } = parts;
  const { _now: now, _random: random } = platform;
  const { getToken, url, debug } = options;
  const status = store<ConnectionStatus>('connecting');
  const lastError = store<StepwireError | undefined>(undefined);
  /** The timer of the next attempt, or of the time-out of a silent server. */
  const next = alarm(platform);
  const renewal = alarm(platform);
  const loss = alarm(platform);
  let socket: Socket | undefined;
  /** Counts the attempts: results of older ones are ignored. */
  let attempt = 0;
  let tries = 0;
  /** Whether a timer will start the next attempt. */
  let waiting = false;
  let isLost = false;
  let stopped = false;
  let notBefore = 0;
  let welcomedAt: number | undefined;
  let receivedAt = 0;
  let silenceMs = WELCOME_MS;
  let helloBytes = HELLO_BYTES;
  /** How many instances the last `hello` named. */
  let named = 0;
  let address: string | undefined;
  /** Identity of the server's log. */
  let life: string | undefined;
  let lastClose: number | undefined;
  let byeMs: number | undefined;
  /** Whether the server rejected the last token. */
  let refused = false;
  /** The error of the server or the platform before the close. */
  let complaint: unknown;

  const log = (direction: Direction, frame: object) => guarded(() => debug?.(direction, frame as JsonObject));

  /** Sends a frame now; the caller knows that the connection is live. */
  const send = (frame: ClientFrame) => {
    log('out', frame);
    socket?.send(JSON.stringify(frame));
  };

  const leave = (code: number) => {
    attempt += 1;
    waiting = false;
    next();
    renewal();
    const left = socket;
    socket = undefined;
    // Has no effect if the other side has closed it.
    guarded(() => left?.close(code));
  };

  /** Ends it permanently. `error` is the reason, also for all that still waits. */
  const stop = (error: StepwireError) => {
    if (stopped) return;
    stopped = true;
    unwake();
    leave(1000);
    loss();
    lastError.set(error);
    status.set(/^(unauthenticated|forbidden)$/.test(error.code) ? 'signedOut' : 'closed');
    parts._commands._end(error);
    parts._channels._end(error);
  };

  const open = async () => {
    watch(CALL_TIMEOUT_MS);
    waiting = false;
    complaint = address = undefined;
    const mine = ++attempt;
    try {
      const token = getToken ? await getToken(refused) : parts._visitor?._hello();
      const to = typeof url === 'function' ? await url() : url;
      if (mine !== attempt) return;
      address = `${to}`;
      start(platform._open(to, SUBPROTOCOL), token);
    } catch (cause) {
      if (mine !== attempt) return;
      const error = cause instanceof StepwireError ? cause : broken(address ? 'bad_request' : 'unreachable', cause, { cause });
      // There is no websocket, or the address is invalid: this is permanent.
      if (address || error.code === 'unauthenticated') stop(error);
      else retry(1006, error);
    }
  };

  /** Names the address without its ticket. */
  const broken = (code: ErrorCode, why: unknown, more: Partial<ErrorDetails>) =>
    failure(code, `expected a connection to ${address?.split('?')[0] ?? 'the server'}, but ${why}`, more);

  const start = (mine: Socket, token: string | undefined) => {
    socket = mine;
    const ifCurrent =
      <Event>(take: (event: Event) => void) =>
      (event: Event) =>
        void (mine === socket && guarded(() => take(event)));
    silenceMs = WELCOME_MS;
    received();
    mine.onopen = ifCurrent(() => {
      const frame = { type: 'hello', token, client: options.client, schemas: options.schemas, log: life, lastClose };
      const resume = parts._channels._resume(helloBytes - bytes({ ...frame, resume: [] }));
      named = resume.length;
      send({ ...frame, resume });
    });
    mine.onmessage = ifCurrent(({ data }) => receive(JSON.parse(data as string) as ServerFrame));
    // A close follows. Some packages throw if nobody listens for errors.
    mine.onerror = ifCurrent(({ error, message }) => (complaint = error ?? message));
    mine.onclose = ifCurrent(closed);
  };

  const receive = (frame: ServerFrame) => {
    log('in', frame);
    received();
    const { type } = frame;
    if (type === 'ping') send({ type: 'pong' });
    else if (type === 'bye') byeMs = frame.reconnectAfterMs;
    else if (type === 'welcome') {
      life = frame.log;
      refused = isLost = false;
      welcomedAt = now();
      silenceMs = 2_000 * frame.pingSeconds;
      loss();
      received();
      renewBefore(frame.expiresAt);
      // Pending commands are sent first; then the app learns that it may send more.
      parts._commands._opened(frame);
      parts._channels._welcomed();
      lastError.set(undefined);
      status.set('live');
    } else parts._received(frame);
  };

  /** Any frame shows that the server is alive. */
  const received = () => {
    receivedAt = now();
    watch(silenceMs);
  };

  /** Without frames the connection is dropped, as some networks never report a loss. */
  const watch = (ms: number) => next(ms, () => closed({ code: 4000, reason: 'no frame from the server' }));

  const renewBefore = (expiresAt: string | null | undefined) => {
    const left = Date.parse(expiresAt!) - now();
    // Tokens without expiry need no renewal.
    const wait = Math.max(left / 2, left - RENEW_EARLY_MS, RENEW_PAUSE_MS);
    if (getToken && expiresAt) renewal(wait, renew);
    else renewal();
  };

  const renew = async () => {
    const mine = attempt;
    try {
      const token = await getToken!(false);
      if (mine === attempt) renewBefore((await parts._auth(token)).result.expiresAt);
    } catch {
      // When it expires the server closes with 4401, and the token is requested once more.
    }
  };

  const closed = ({ code, reason }: { code: number; reason: string }) => {
    const welcomed = welcomedAt !== undefined;
    let final = isFinal(code);
    leave(4000);
    lastClose = code;
    if (code === 4401) {
      final = getToken ? refused : !welcomed && !parts._visitor?._refused();
      refused = true;
    } else if (code === 1009 && !welcomed) {
      // The next attempt names fewer instances, if this one named any.
      final = named === 0;
      helloBytes /= 2;
    }
    const cause = complaint as { message?: string; fields?: FieldErrors } | undefined;
    const why = `it was closed with ${code}: ${cause?.message ?? (reason || (cause ?? ''))}`;
    const error = broken(final ? (FINAL[code] ?? 'closed') : 'unreachable', why, { closeCode: code, cause, fields: cause?.fields ?? {} });
    if (final) return stop(error);
    parts._commands._lost(error);
    parts._channels._lost();
    retry(code, error);
  };

  const retry = (code: number, error: StepwireError) => {
    const time = now();
    if (time - welcomedAt! >= STABLE_MS) tries = 0;
    welcomedAt = undefined;
    const wait = code === 4401 && !tries ? 0 : (byeMs ?? backoff(code, tries, random()));
    tries += 1;
    notBefore = byeMs !== undefined || code === 4429 ? time + wait : time;
    byeMs = undefined;
    waiting = true;
    next(wait, open);
    showLoss();
    lastError.set(Object.assign(error, { afterMs: wait }));
  };

  const showLoss = () => {
    if (/^(live|connecting)$/.test(status.get())) {
      loss(LOST_MS, () => {
        isLost = true;
        showLoss();
      });
    }
    status.set(!platform._online() ? 'offline' : isLost ? 'lost' : 'reconnecting');
  };

  const unwake = platform._onWake(() => {
    const time = now();
    if (waiting && time >= notBefore) open();
    // After a sleep, pings are overdue; the client does not wait long for one.
    else if (socket && time - receivedAt > silenceMs / 2) {
      watch(Math.max(0, Math.min(AFTER_SLEEP_MS, receivedAt + silenceMs - time)));
    }
  });

  // The client that owns this connection must be complete before the connection uses it.
  queueMicrotask(() => attempt || open());

  return {
    _status: status,
    _lastError: lastError,
    _send: send,
    _stop: stop,
    /** The server reports an error that belongs to no command. */
    _complained: (error: StepwireError) => (complaint = error),
  };
}
