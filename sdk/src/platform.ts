import { failure } from './error.js';

/** The part of a WebSocket that the client uses. */
export interface Socket {
  onopen: (() => void) | null;
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
  open(url: string, subprotocol: string): Socket;
  setTimer(run: () => void, ms: number): unknown;
  clearTimer(timer: unknown): void;
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 (included) to 1 (excluded). */
  random(): number;
  /** `false` only when the device knows that it has no network. */
  online(): boolean;
  /** Calls `run` when trying again at once makes sense: network back, page visible. Returns the function that ends it. */
  onWake(run: () => void): () => void;
}

/** What tells that a page is awake again: the network is back; it is shown, thawed, or back from the page cache. */
const WAKES: [of: 'document' | 'globalThis', event: string][] = [
  ['globalThis', 'online'],
  ['globalThis', 'pageshow'],
  ['document', 'visibilitychange'],
  ['document', 'resume'],
];

/** A browser or another runtime, with its own `WebSocket` or the one that is given. */
export function browser(webSocket?: WebSocketConstructor): Platform {
  return {
    open(url, subprotocol) {
      const constructor = webSocket ?? (globalThis.WebSocket as WebSocketConstructor | undefined);
      if (constructor) return new constructor(url, subprotocol) as Socket;
      throw failure(
        'unsupported',
        "expected a WebSocket constructor, but this runtime has none; pass one as the option 'webSocket' (in Node 20: the package ws)",
      );
    },
    setTimer: (run, ms) => setTimeout(run, ms),
    clearTimer: (timer) => clearTimeout(timer as number),
    now: () => Date.now(),
    random: () => Math.random(),
    online: () => globalThis.navigator?.onLine !== false,
    onWake(run) {
      const awake = () => globalThis.document?.visibilityState !== 'hidden' && run();
      const target = (of: string) => (of === 'document' ? globalThis.document : globalThis);
      WAKES.forEach(([of, event]) => target(of)?.addEventListener?.(event, awake));
      return () => WAKES.forEach(([of, event]) => target(of)?.removeEventListener?.(event, awake));
    },
  };
}
