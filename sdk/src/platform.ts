// **The client's errors never leave by a timer**: a listener that throws is reported like an uncaught
// error where the platform has `reportError`, else on the console, because on Node an uncaught one
// would end the process.

import { failure } from './error.js';
import type { WaitOptions } from './options.js';

/** The part of a WebSocket that the client uses. */
export interface Socket {
  onopen: ((opened?: unknown) => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onerror: ((failed: { message?: string; error?: unknown }) => void) | null;
  onclose: ((closed: { code: number; reason: string }) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** Makes websockets: the platform's own `WebSocket`, or that of a package such as `ws`. */
export type WebSocketConstructor = new (
  url: string,
  protocols?: string,
) => {
  onopen: any;
  onmessage: any;
  onerror: any;
  onclose: any;
  send(text: string): void;
  close(code?: number): void;
};

/** All that the client wants from its surroundings, so that tests can hold the clock and the network. */
export interface Platform {
  /** Throws when there is no websocket, or the address can never be one. */
  _open(url: string, subprotocol: string): Socket;
  /** Calls `run` after so many milliseconds. */
  _setTimer(run: () => void, ms: number): unknown;
  /** Ends a timer; `undefined` does nothing. */
  _clearTimer(timer: unknown): void;
  /** Milliseconds since 1970. */
  _now(): number;
  /** From 0 (included) to 1 (excluded). */
  _random(): number;
  /** `false` only when the device knows that it has no network. */
  _online(): boolean;
  /** Calls `run` when trying again at once makes sense: network back, page visible. Returns the function that ends it. */
  _onWake(run: () => void): () => void;
}

/** What tells that a page is awake again: the network is back; it is shown, thawed, or back from the page cache. */
const WAKES = 'online pageshow visibilitychange resume'.split(' ');

/** A browser or another runtime, with its own `WebSocket` or the one that is given. */
export function browser(webSocket?: WebSocketConstructor): Platform {
  return {
    _open(url, subprotocol) {
      const constructor = webSocket ?? (globalThis.WebSocket as WebSocketConstructor | undefined);
      if (constructor) return new constructor(url, subprotocol) as Socket;
      throw failure('unsupported', "expected a WebSocket, but there is none; give one as the option 'webSocket'");
    },
    // Looked up at each call, so that an app's tests may replace the clock.
    _setTimer: (run, ms) => setTimeout(run, ms),
    _clearTimer: (timer) => clearTimeout(timer as number),
    _now: () => Date.now(),
    _random: () => Math.random(),
    _online: () => globalThis.navigator?.onLine !== false,
    _onWake(run) {
      const awake = () => globalThis.document?.visibilityState !== 'hidden' && run();
      const listening = new AbortController();
      for (const target of [globalThis, globalThis.document]) WAKES.forEach((event) => target?.addEventListener?.(event, awake, listening));
      return () => listening.abort();
    },
  };
}

/** What a timer can hold; longer waits are for ever. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One timer at a time: setting it ends the one before; without `run` there is none any more. */
export type Alarm = (ms?: number, run?: () => void) => void;

/** Makes a timer that is not set. */
export function alarm({ _setTimer: setTimer, _clearTimer: clearTimer }: Platform): Alarm {
  let timer: unknown;
  return (ms = 0, run) => {
    clearTimer(timer);
    if (run && ms <= LONGEST_TIMER_MS) timer = setTimer(run, ms);
  };
}

/** Calls `over` when a wait's signal is given, or its time is over. Returns the function that ends that. */
export function limit(platform: Platform, { signal, timeout = Infinity }: WaitOptions, over: (late?: boolean) => void): () => void {
  const timer = alarm(platform);
  const abort = () => over();
  timer(timeout, () => over(true));
  signal?.addEventListener('abort', abort);
  return () => {
    timer();
    signal?.removeEventListener('abort', abort);
  };
}
