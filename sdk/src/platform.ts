/** The part of a WebSocket that the client uses. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: ((closed: { code: number; reason: string }) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** All that the client wants from its surroundings, so that tests can hold the clock and the network. */
export interface Platform {
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

/** A browser, or a runtime with a global `WebSocket`. */
export const browser: Platform = {
  open: (url, subprotocol) => new WebSocket(url, subprotocol) as Socket,
  setTimer: (run, ms) => setTimeout(run, ms),
  clearTimer: (timer) => clearTimeout(timer as number),
  now: () => Date.now(),
  random: () => Math.random(),
  online: () => globalThis.navigator?.onLine !== false,
  onWake(run) {
    const shown = () => {
      if (globalThis.document?.visibilityState === 'visible') run();
    };
    globalThis.addEventListener?.('online', run);
    globalThis.document?.addEventListener('visibilitychange', shown);
    return () => {
      globalThis.removeEventListener?.('online', run);
      globalThis.document?.removeEventListener('visibilitychange', shown);
    };
  },
};
