// Errors of the server and of the client itself. In words for developers: `debug.ts`.

/** The server's stable error codes, and below them those of the client itself. */
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
 * - `closed`: the client was closed, or the server ended the connection for good. A command may have reached it nevertheless.
 * - `unreachable`: no connection can be had at the moment; the client goes on trying.
 * - `timeout`, `aborted`: the command's own `timeout` or `signal` ended the wait. The command may have reached the server.
 */
export type ClientErrorCode = 'closed' | 'unreachable' | 'timeout' | 'aborted';

/** What is wrong with the value at one path, with `invalid_data`. */
export interface FieldError {
  /** The keyword of JSON Schema that the value breaks: `required`, `type`, `format`, `minimum`, … */
  code: string;
  /** A sentence for developers; to users show your own for the code. */
  message: string;
  /** What the keyword asks for, under the names that Ajv gives: `{ limit: 18 }`. */
  params: Record<string, unknown>;
}

/** With `invalid_data`: what is wrong, by data path. */
export type FieldErrors = Record<string, FieldError>;

/** What an `error` frame says, beside its type and id. */
export interface ErrorDetails {
  code: ErrorCode | (string & {});
  message: string;
  /** Why an action is not available: `ended`, `on_hold`, `not_active`, …; with `busy`, what of the server's disk has no room: `disk_low`, … */
  reason?: string | undefined;
  /** Whether the same command may succeed later. */
  retryable?: boolean | undefined;
  fields?: FieldErrors | undefined;
  /** With `rate_limited`: how long to wait. */
  afterMs?: number | undefined;
  /** With `conflict`: the instance's number now. */
  seq?: number | undefined;
  /** With `conflict`: the elements that all offer the action. */
  elements?: string[] | undefined;
  /** Of an error about the connection: the code it was closed with. */
  closeCode?: number | undefined;
  /** What lies behind it: the reason of an abort signal, what `getToken` threw, … */
  cause?: unknown | undefined;
}

/** As other interfaces of the platform name them, so that code which knows no Stepwire understands. */
const NAMES: Record<string, string> = { aborted: 'AbortError', timeout: 'TimeoutError' };

/** A command that the server refused or that got no answer, or a connection that cannot be had. */
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

/** Calls the app's own code: an error in it is reported where it can be seen, without ending anything. */
export function guarded<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    // `reportError` is not there everywhere; on Node an uncaught error would end the process.
    (globalThis.reportError ?? console.error)(error);
    return undefined;
  }
}

/** What may be denied, full or missing is no reason to fail. */
export function tried<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}
