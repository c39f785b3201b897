/**
 * Tools for the development of an app that are not needed in production: the log of frames, and explanations of errors.
 */
import type { StepwireError } from './error.js';
import type { JsonObject } from './frames.js';
import type { FrameLog } from './options.js';

/** Writes every frame to the console, or passes it to `write`; tokens and nonces are masked. For the option `debug`. */
export function frameLog(write: FrameLog = (direction, frame) => console.debug(direction, frame)): FrameLog {
  const secret = (name: string, value: unknown) => (/^(token|nonce)$/.test(name) && typeof value === 'string' ? '…' : value);
  return (direction, frame) => write(direction, JSON.parse(JSON.stringify(frame, secret)) as JsonObject);
}

/** What the developers of the app should do about each code. */
const ADVICE: Record<string, string> = {
  bad_request: 'the frame does not have the form that the protocol asks for; look at `fields`, and at the log of frames',
  unauthenticated: 'the server did not take the token: look whether `getToken` gives a new one when it is asked with `true`',
  token_expired: 'the token was over before it came; look at the clocks, and whether `getToken` gives a new one',
  forbidden: 'this user lacks the role for it, or, with `closeCode` 4403, the server does not allow the origin of this page',
  not_found: 'there is no such process or instance, or this user may not see it',
  conflict: 'the instance has moved on (`seq` says how far), or several elements offer the action: name one of `elements`',
  action_not_available: 'show only what the `actions` store holds; `reason` says why this one is not there now',
  already_executed: 'the action is not repeatable and has run; its effect is in the view',
  invalid_data: 'show what `fields` says, by data path',
  outcome_unknown: 'send it again with the same id: it is done once',
  id_reused: 'another command had this id; make a new one for each thing that the user does',
  too_large: 'send less: `maxMessageBytes` of `welcome` is the limit; files go by upload',
  rate_limited: 'the client keeps to the rate it is told; something else sends in the name of this user',
  busy: 'the server had no room for some 20 s; try again later',
  unsupported: 'the server or this runtime cannot do that; in Node 20, give the option `webSocket`',
  closed: 'the connection ended for good; a command may have reached the server nevertheless',
  unreachable: 'look whether the server runs, at the address, and whether the server allows the origin of this page',
  timeout: 'the command may have reached the server: to ask again, use the same id',
  aborted: 'the signal was given; the command may have reached the server',
};

/** Explains an error to the developers of the app: what happened, why, and what to do. */
export function explain(error: StepwireError): string {
  const { code, message, reason, fields, cause } = error;
  const why = reason ? ` (${reason})` : '';
  const lines = [`${code}${why}: ${message}`];
  for (const [path, { message: wrong }] of Object.entries(fields)) lines.push(`  ${path}: ${wrong}`);
  if (cause !== undefined) lines.push(`because of: ${cause instanceof Error ? cause.message : String(cause)}`);
  lines.push(ADVICE[code] ?? 'the server has a code that this client does not know; its page is in the documentation');
  return lines.join('\n');
}
