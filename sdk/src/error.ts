/** The server's stable error codes, and `closed` for a command that the client gave up itself. */
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
  | 'internal'
  | 'closed';

/** What is wrong with the value at one path, with `invalid_data`. */
export interface FieldError {
  /** The keyword of JSON Schema that the value breaks: `required`, `type`, `format`, `minimum`, … */
  code: string;
  /** A sentence for developers; to users show your own for the code. */
  message: string;
  /** What the keyword asks for, under the names that Ajv gives: `{ limit: 18 }`. */
  params: Record<string, unknown>;
}

/** What an `error` frame says, beside its type and id. */
export interface ErrorDetails {
  code: ErrorCode | (string & {});
  message: string;
  /** Why an action is not available: `ended`, `on_hold`, `not_active`, … */
  reason?: string;
  /** Whether the same command may succeed later, sent as a new one. */
  retryable?: boolean;
  /** With `invalid_data`: what is wrong, by data path. */
  fields?: Record<string, FieldError>;
  /** With `rate_limited`: how long to wait. */
  afterMs?: number;
  /** With `conflict`: the instance's number now. */
  seq?: number;
  /** With `conflict`: the elements that all offer the action. */
  elements?: string[];
}

/** A command that the server refused, or a connection that it ended for good. */
export class StepwireError extends Error {
  readonly code: ErrorDetails['code'];
  readonly reason: string | undefined;
  readonly retryable: boolean;
  readonly fields: Record<string, FieldError>;
  readonly afterMs: number | undefined;
  readonly seq: number | undefined;
  readonly elements: string[];

  constructor(details: ErrorDetails) {
    super(details.message);
    this.name = 'StepwireError';
    this.code = details.code;
    this.reason = details.reason;
    this.retryable = details.retryable ?? false;
    this.fields = details.fields ?? {};
    this.afterMs = details.afterMs;
    this.seq = details.seq;
    this.elements = details.elements ?? [];
  }
}
