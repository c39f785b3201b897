/**
 * Files for actions of the type `uploadFile`: sent over REST beside the connection, with progress, and again with the same id when
 * the request failed or the server was busy.
 */
import type { JsonObject } from './frames.js';
import type { StepwireError } from './error.js';
import type { Instance, Member, RunResult } from './instance.js';
import { parsed, problem, restOf } from './problem.js';

/** How often a file is sent again. */
const TRIES = 8;

/** Options of an upload. */
export interface UploadOptions {
  /** Called with the number of bytes sent and the total; in Node once, at the end. */
  onProgress?: ((sent: number, total: number) => void) | undefined;
  /** Ends the wait: rejects with `aborted`. A file that was sent may take effect nevertheless. */
  signal?: AbortSignal | undefined;
  /** The name of the file; by default its own. */
  name?: string | undefined;
  /** Data sent with it, as with `run`. */
  data?: JsonObject | undefined;
  /** The element instance, if several offer the action. */
  element?: string | undefined;
  /** The action is refused (`conflict`) if the instance has moved on since this number. */
  ifSeq?: number | undefined;
  /** A UUID that the app stores itself: sending again with the same id has no second effect. */
  id?: string | undefined;
}

/** A stored file: the value in the data in its place. */
export interface UploadedFile {
  /** The id in its address: `/v1/instances/KEY/files/ID`. */
  id: string;
  name: string;
  /** In bytes. */
  size: number;
  /** Its media type. */
  type: string;
  sha256: string;
}

/** The result of an upload, once it is durable. */
export interface UploadResult extends RunResult {
  file: UploadedFile;
}

/** An answer, in the form common to both ways of sending. */
interface Answer {
  status: number;
  retryAfter: string | null;
  text: string;
}

/**
 * Sends a file for an action, to the server and as the user of the client that follows the instance. Resolves, like `run`, when its
 * effect is in the stores. Rejects with a {@link StepwireError}; `fields.file` says what is wrong with the file.
 */
export async function upload(instance: Instance<any>, action: string, file: Blob, options: UploadOptions = {}): Promise<UploadResult> {
  const { key, actions, _parts: parts, _reached: reached } = instance as unknown as Member;
  const { url, getToken } = parts._options;
  const { _failure: failure, _Error, _jitter: jitter, _uuidv7: uuidv7 } = parts._shared;
  const { element, ifSeq, data, signal, id = uuidv7(Date.now()), name = (file as File).name ?? 'file' } = options;
  const limit = actions.get().find((one) => one.name === action && (!element || one.element === element))?.maxBytes;
  if (file.size > limit!) {
    const message = `expected a file of at most ${limit} bytes, but '${name}' has ${file.size}`;
    throw failure('too_large', message, { fields: { file: { code: 'too_large', message, params: { limit } } } });
  }
  const query = new URLSearchParams({ action });
  if (element) query.set('element', element);
  if (ifSeq !== undefined) query.set('ifSeq', `${ifSeq}`);
  let base = '';
  /** Whether the server rejected the last token. */
  let refused = false;
  /** Rejects when the signal is triggered, whatever is being waited for. */
  const aborted = new Promise<never>((_, reject) => {
    if (signal?.aborted) reject();
    else signal?.addEventListener('abort', reject);
  });
  aborted.catch(() => undefined);

  const attempt = async (): Promise<UploadResult> => {
    const token = getToken ? await getToken(refused) : parts._visitor?._tokenOf(key);
    // The ticket in the address is not used.
    base ||= restOf(typeof url === 'function' ? await url() : url);
    const body = new FormData();
    if (data) body.append('data', JSON.stringify(data));
    body.append('file', file, name);
    // Without a token the sign-in cookie is sent.
    const headers: Record<string, string> = { 'idempotency-key': id, ...(token && { authorization: `Bearer ${token}` }) };
    const { status, retryAfter, text } = await send(`${base}/instances/${key}/upload?${query}`, headers, body, file.size, options);
    const said = parsed(text);
    if (status >= 200 && status < 300) return said as unknown as UploadResult;
    throw new _Error(problem(status, retryAfter, said));
  };

  for (let tries = 0; ; tries += 1) {
    try {
      const result = await Promise.race([attempt(), aborted]);
      await reached(result.seq, { signal });
      return result;
    } catch (cause) {
      if (signal?.aborted) throw failure('aborted', `expected '${name}' to be sent, but it was aborted`, { cause: signal.reason });
      const unreachable = `expected the server to take '${name}', but: ${cause}`;
      const error = cause instanceof _Error ? cause : failure('unreachable', unreachable, { cause, retryable: true });
      const again = error.retryable || (getToken && !refused && /^(unauthenticated|token_expired)$/.test(error.code));
      if (!again || tries >= TRIES) throw error;
      refused = !error.retryable;
      if (!refused) await Promise.race([pause((error.afterMs ?? 0) + jitter(tries, Math.random())), aborted.catch(() => undefined)]);
    }
  }
}

/** Only the browser's older interface reports progress. */
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
    // The size counted is that of the form, which is slightly longer than its file.
    request.upload.onprogress = ({ loaded, total: all }) => onProgress?.(Math.min(total, Math.round((total * loaded) / all)), total);
    request.onload = () => resolve({ status: request.status, retryAfter: request.getResponseHeader('retry-after'), text: request.responseText });
    request.onerror = request.onabort = () => reject(new Error('the connection broke'));
    request.onloadend = () => signal?.removeEventListener('abort', abort);
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    request.send(body);
  });
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
