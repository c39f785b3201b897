// The parts of REST that entries outside the core use: addresses and refusals. Used by: `upload.ts`, `sse.ts`.

import type { ErrorDetails } from './error.js';
import type { JsonObject } from './frames.js';

/** A refusal over REST (RFC 9457) as the equivalent `error` frame of the websocket. */
export function problem(status: number, retryAfter: string | null, said: JsonObject): ErrorDetails {
  const { code, detail, reason, fields, seq, elements, retryable } = said as Partial<ErrorDetails> & { detail?: string };
  const after = Number(retryAfter);
  return {
    code: code ?? 'internal',
    message: detail ?? `expected an answer, but the server said ${status}`,
    retryable: retryable ?? (status === 429 || status >= 500),
    ...(after > 0 && { afterMs: after * 1000 }),
    reason,
    fields,
    seq,
    elements,
  };
}

/** The server's REST address, derived from that of the websocket. */
export function restOf(url: string): string {
  const { origin, pathname } = new URL(url.replace(/^ws/, 'http'));
  return origin + pathname.replace(/\/ws$/, '');
}

/** The JSON of an answer; empty if it is not JSON. */
export function parsed(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return {};
  }
}
