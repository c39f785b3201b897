// **The client's errors are never thrown from a timer**: a listener that throws is reported like an uncaught error where the
// platform has `reportError`, otherwise on the console, because on Node an uncaught one would end the process.

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

/** Creates websockets: the platform's own `WebSocket`, or that of a package such as `ws`. */
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

/** Everything the client needs from its environment, so that tests can control the clock and the network. */
export interface Platform {
  /** Throws if there is no websocket, or if the address is invalid. */
  _open(url: string, subprotocol: string): Socket;
  /** Calls `run` after this many milliseconds. */
  _setTimer(run: () => void, ms: number): unknown;
  /** Ends a timer; `undefined` does nothing. */
  _clearTimer(timer: unknown): void;
  /** Milliseconds since 1970. */
  _now(): number;
  /** From 0 (included) to 1 (excluded). */
  _random(): number;
  /** `false` only if the device knows that it has no network. */
  _online(): boolean;
  /** Calls `run` when an immediate attempt makes sense: network back, page visible. Returns the function that ends it. */
  _onWake(run: () => void): () => void;
}

/** The events of a page that becomes active again: the network is back; it is shown, thawed, or back from the page cache. */
const WAKES = 'online pageshow visibilitychange resume'.split(' ');

/** A browser or another runtime, with its own `WebSocket` or the given one. */
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

/** The longest possible timer; longer waits never end. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One timer at a time: setting it cancels the one before; without `run` there is none. */
export type Alarm = (ms?: number, run?: () => void) => void;

/** Creates a timer that is not set. */
export function alarm({ _setTimer: setTimer, _clearTimer: clearTimer }: Platform): Alarm {
  let timer: unknown;
  return (ms = 0, run) => {
    clearTimer(timer);
    if (run && ms <= LONGEST_TIMER_MS) timer = setTimer(run, ms);
  };
}

/** Calls `over` when the signal of a wait is triggered, or its time is over. Returns the function that cancels this. */
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
