/**
 * Files for actions of the type `uploadFile`: sent over REST beside the connection, with progress, and again with the same id when
 * the way there broke or the server had no room.
 */
import { jitter } from './backoff.js';
import { failure, StepwireError } from './error.js';
import type { JsonObject } from './frames.js';
import type { Instance, RunResult } from './instance.js';
import { problem, restOf } from './problem.js';
import { uuidv7 } from './uuid.js';

/** A file is sent again this often. */
const TRIES = 8;

/** What {@link uploader} takes. */
export interface UploaderOptions {
  /** The address that `connect` is given. */
  url: string;
  /**
   * Asked before each try. Of a visitor: `() => tokenStore.get(key)` with the key of the root. Without it the cookie of a sign-in
   * goes with the request.
   */
  getToken?: ((instance: string) => string | undefined | Promise<string | undefined>) | undefined;
}

/** What goes with a file. */
export interface UploadOptions {
  /** Told how many bytes of how many are sent; in Node once, at the end. */
  onProgress?: ((sent: number, total: number) => void) | undefined;
  /** Ends it: rejects with `aborted`. What was sent may take effect nevertheless. */
  signal?: AbortSignal | undefined;
  /** What the file is called; by default as it is. */
  name?: string | undefined;
  /** Data beside it, as with `run`. */
  data?: JsonObject | undefined;
  /** The element instance, when several offer the action. */
  element?: string | undefined;
  /** Refuses it (`conflict`) when the instance has moved on since this number. */
  ifSeq?: number | undefined;
  /** A UUID that the app keeps itself: what is sent again with it is done once. */
  id?: string | undefined;
}

/** A file as the server keeps it: what the data hold in its place. */
export interface UploadedFile {
  /** Names it in its address: `/v1/instances/KEY/files/ID`. */
  id: string;
  name: string;
  /** In bytes. */
  size: number;
  /** Its media type. */
  type: string;
  sha256: string;
}

/** What an upload resolves to, once it is durable. */
export interface UploadResult extends RunResult {
  file: UploadedFile;
}

/** Sends a file for an action. Rejects with a {@link StepwireError}, as `run` does; `fields.file` says what is wrong with the file. */
export type Upload = (instance: Instance<any>, action: string, file: Blob, options?: UploadOptions) => Promise<UploadResult>;

/** An answer, as either way of sending gives it. */
interface Answer {
  status: number;
  retryAfter: string | null;
  text: string;
}

/** Makes what sends files to a server. */
export function uploader({ url, getToken }: UploaderOptions): Upload {
  const base = restOf(url);
  return async (instance, action, file, options = {}) => {
    const { element, ifSeq, data, signal, id = uuidv7(Date.now()), name = (file as File).name ?? 'file' } = options;
    const offered = instance.actions.get().find((one) => one.name === action && (!element || one.element === element));
    if (file.size > (offered?.maxBytes ?? Infinity)) {
      throw failure('too_large', `expected a file of at most ${offered!.maxBytes} bytes, but '${name}' has ${file.size}`);
    }
    const query = new URLSearchParams({ action });
    if (element) query.set('element', element);
    if (ifSeq !== undefined) query.set('ifSeq', `${ifSeq}`);
    const address = `${base}/instances/${instance.key}/upload?${query}`;
    for (let tries = 0; ; tries += 1) {
      const token = await getToken?.(instance.key);
      const body = new FormData();
      if (data) body.append('data', JSON.stringify(data));
      body.append('file', file, name);
      const headers: Record<string, string> = { 'idempotency-key': id, ...(token && { authorization: `Bearer ${token}` }) };
      const refused = await send(address, headers, body, file.size, options).then(
        ({ status, retryAfter, text }) => {
          const said = parsed(text);
          if (status >= 200 && status < 300) return said as unknown as UploadResult;
          return new StepwireError(problem(status, retryAfter, said));
        },
        (cause: unknown) => failure('unreachable', `expected the server to take '${name}', but: ${cause}`, { cause, retryable: true }),
      );
      if (signal?.aborted) throw failure('aborted', `expected '${name}' to be sent, but it was aborted`, { cause: signal.reason });
      if (!(refused instanceof StepwireError)) return refused;
      if (!refused.retryable || tries >= TRIES) throw refused;
      await pause((refused.afterMs ?? 0) + jitter(tries, Math.random()), signal);
    }
  };
}

/** Only a browser's older way of asking tells how far it is. */
function send(address: string, headers: Record<string, string>, body: FormData, total: number, options: UploadOptions): Promise<Answer> {
  const { onProgress, signal } = options;
  const credentials = headers.authorization ? 'omit' : 'include';
  if (!globalThis.XMLHttpRequest) {
    return fetch(address, { method: 'POST', headers, body, credentials, signal: signal ?? null }).then(async (answer) => {
      if (answer.ok) onProgress?.(total, total);
      return { status: answer.status, retryAfter: answer.headers.get('retry-after'), text: await answer.text() };
    });
  }
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open('POST', address);
    request.withCredentials = credentials === 'include';
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    // What is counted is the form, which is somewhat longer than its file.
    request.upload.onprogress = ({ loaded, total: all }) => onProgress?.(Math.min(total, Math.round((total * loaded) / all)), total);
    request.onload = () => resolve({ status: request.status, retryAfter: request.getResponseHeader('retry-after'), text: request.responseText });
    request.onerror = request.onabort = () => reject(new Error('the connection broke'));
    request.onloadend = () => signal?.removeEventListener('abort', abort);
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    request.send(body);
  });
}

function parsed(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return {};
  }
}

/** Waits, unless it is aborted. */
const pause = (ms: number, signal: AbortSignal | undefined) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
