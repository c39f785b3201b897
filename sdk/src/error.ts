// Errors of the server and of the client itself. Explanations for developers: `debug.ts`.

/** The server's stable error codes, followed by those of the client itself. */
export type ErrorCode =
  | 'bad_request'
  | 'unauthenticated'
  | 'token_expired'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'action_not_available'
  | 'already_executed'
  | 'invalid_data'
  | 'id_reused'
  | 'too_large'
  | 'rate_limited'
  | 'busy'
  | 'unsupported'
  | 'outcome_unknown'
  | 'internal'
  | ClientErrorCode;

/**
 * - `closed`: the client was closed, or the server ended the connection permanently. A command may have reached it nevertheless.
 * - `unreachable`: there is no connection at the moment; the client keeps trying.
 * - `timeout`, `aborted`: the command's own `timeout` or `signal` ended the wait. The command may have reached the server.
 */
export type ClientErrorCode = 'closed' | 'unreachable' | 'timeout' | 'aborted';

/** What is wrong with the value at one path, with `invalid_data`. */
export interface FieldError {
  /** The keyword of JSON Schema that the value violates: `required`, `type`, `format`, `minimum`, … */
  code: string;
  /** A sentence for developers; show users a text of your own for the code. */
  message: string;
  /** The parameters of the keyword, under the names that Ajv uses: `{ limit: 18 }`. */
  params: Record<string, unknown>;
}

/** With `invalid_data`: what is wrong, by data path. */
export type FieldErrors = Record<string, FieldError>;

/** The content of an `error` frame, without its type and id. */
export interface ErrorDetails {
  code: ErrorCode | (string & {});
  message: string;
  /**
   * Why an action is not available: `ended`, `on_hold`, `not_active`, …; with `busy`, why the server's disk has no room:
   * `disk_low`, …
   */
  reason?: string | undefined;
  /** Whether the same command may succeed later. */
  retryable?: boolean | undefined;
  fields?: FieldErrors | undefined;
  /** With `rate_limited`: how long to wait. */
  afterMs?: number | undefined;
  /** With `conflict`: the current number of the instance. */
  seq?: number | undefined;
  /** With `conflict`: the elements that offer the action. */
  elements?: string[] | undefined;
  /** For a connection error: the close code. */
  closeCode?: number | undefined;
  /** The underlying reason: that of an abort signal, what `getToken` threw, … */
  cause?: unknown | undefined;
}

/** The names that other interfaces of the platform use, for code that does not know Stepwire. */
const NAMES: Record<string, string> = { aborted: 'AbortError', timeout: 'TimeoutError' };

/** A command that the server refused or that got no answer, or a failed connection. */
export class StepwireError extends Error {
  declare readonly code: ErrorDetails['code'];
  declare readonly reason: string | undefined;
  declare readonly retryable: boolean;
  declare readonly fields: FieldErrors;
  declare readonly afterMs: number | undefined;
  declare readonly seq: number | undefined;
  declare readonly elements: string[];
  declare readonly closeCode: number | undefined;

  constructor({ message, cause, ...details }: ErrorDetails) {
    super(message, { cause });
    this.name = NAMES[details.code] ?? 'StepwireError';
    Object.assign(this, { retryable: false, fields: {}, elements: [] }, details);
  }
}

/** A {@link StepwireError} of the client itself. */
export function failure(code: ErrorCode, message: string, more?: Partial<ErrorDetails>): StepwireError {
  return new StepwireError({ code, message, ...more });
}

/** Calls code of the app: an error in it is reported visibly, without ending anything else. */
export function guarded<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    // `reportError` does not exist everywhere; on Node an uncaught error would end the process.
    (globalThis.reportError ?? console.error)(error);
    return undefined;
  }
}

/** Calls code whose failure (access denied, storage full or missing) is ignored. */
export function tried<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}
