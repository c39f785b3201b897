// REST, as far as entries beside the core use it: addresses and refusals. Who asks: `upload.ts`, `sse.ts`.

import type { ErrorDetails } from './error.js';
import type { JsonObject } from './frames.js';

/** What a refusal over REST says (RFC 9457), as the `error` frame does that it is over the websocket. */
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

/** Where the server's REST is: beside the websocket. */
export function restOf(url: string): string {
  const { origin, pathname } = new URL(url.replace(/^ws/, 'http'));
  return origin + pathname.replace(/\/ws$/, '');
}

/** What an answer says; nothing, when that is no JSON. */
export function parsed(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return {};
  }
}
