// The options of `connect`, `start`, `run` and `publish`, and the types of processes. Contains no code.

import type { Client } from './client.js';
import type { StepwireError } from './error.js';
import type { JsonObject } from './frames.js';
import type { ActionMessage } from './instance.js';
import type { Platform, WebSocketConstructor } from './platform.js';
import type { Visitor } from './visitor.js';

/**
 * The state of the connection.
 * - `connecting`: the first connection is being made.
 * - `live`.
 * - `reconnecting`: it was lost a moment ago; usually it is back before anybody notices.
 * - `lost`: there has been none for 5 s. That is the time to tell the user. The client keeps trying.
 * - `offline`: the device says that it has no network. The client keeps trying.
 * - `signedOut`: final. The server refused this user, or no new token was available.
 * - `closed`: final. The app closed the client, or the server ended the connection permanently; `lastError` says why.
 */
export type ConnectionStatus = 'connecting' | 'live' | 'reconnecting' | 'lost' | 'offline' | 'signedOut' | 'closed';

/** The direction of a logged frame. */
export type Direction = 'in' | 'out';

/** Receives every frame unchanged, including its tokens. `frameLog` of `@stepwire/client/debug` masks them. */
export type FrameLog = (direction: Direction, frame: JsonObject) => void;

/** The options of {@link connect}. */
export interface ConnectOptions {
  /**
   * `wss://host/v1/ws`. A function is called before every connection, which is the place to fetch a one-time ticket. If it throws a
   * {@link StepwireError} `unauthenticated` the client signs out; after any other failure, or 30 s without an answer, it tries
   * again.
   */
  url: string | (() => string | Promise<string>);
  /**
   * Called before every connection, and again shortly before the token expires. `refused` is true when the server rejected the last
   * one: then a cached token is of no use. Throws like `url`.
   */
  getToken?: ((refused: boolean) => string | undefined | Promise<string | undefined>) | undefined;
  /** For users without sign-in, instead of `getToken`: `visitor()` of `@stepwire/client/visitor`. */
  visitor?: Visitor | undefined;
  /**
   * Receives each Action message that no handler of its instance handled. `inherit()` of `@stepwire/client/inherit` starts the
   * process that a START_PROCESS_INHERIT message asks for. The error of a rejected promise is in the `error` store of the instance.
   */
  onAction?: ((message: ActionMessage, client: Client) => unknown) | undefined;
  /** For runtimes without a global `WebSocket`, such as Node 20: that of a package such as `ws`. */
  webSocket?: WebSocketConstructor | undefined;
  /** How long a command waits for its answer, in milliseconds, unless it sets its own limit. Default: no limit. */
  timeout?: number | undefined;
  /** Whether actions include the JSON Schema of their data, for `<stepwire-form>` and other forms. */
  schemas?: boolean | undefined;
  /** Name and version of the app, for the server's list of connections. */
  client?: string | undefined;
  /** Receives every frame. `frameLog()` of `@stepwire/client/debug` writes them to the console. */
  debug?: FrameLog | undefined;
  /** Clock, network and randomness; replaced only in tests, where `webSocket` is then ignored. */
  platform?: Platform | undefined;
}

/** How long a command waits for its answer. A command that was sent may take effect nevertheless. */
export interface WaitOptions {
  /** Ends the wait: the command rejects with `aborted`, and with the signal's reason as `cause`. */
  signal?: AbortSignal | undefined;
  /** Milliseconds after which the command rejects with `timeout`. */
  timeout?: number | undefined;
}

/** The options of {@link Client.start} besides the process. */
export interface StartOptions<Data = JsonObject> extends WaitOptions {
  data?: Data | undefined;
  /** Chooses among several start events. */
  startCondition?: string | undefined;
  businessKey?: string | undefined;
  /** A UUID that the app stores itself, so that even a reload cannot start twice; see {@link startId}. */
  id?: string | undefined;
  /** `false`: the instance is not followed. Its stores show the step after the start and do not change. */
  subscribe?: boolean | undefined;
  /** Starts it as the child that this Action message asks for. */
  inheritFrom?: { instance: string; seq: number } | undefined;
  /** Runs the draft, if one is newer than the published version; needs role designer or admin. */
  test?: boolean | undefined;
}

/** A message or signal that {@link Client.publish} publishes. */
export interface Publication {
  name: string;
  /** `message` (the default): to one receiver in each process; `signal`: to all that wait. */
  kind?: 'message' | 'signal' | undefined;
  /** The correlation key of the receivers of a message; if absent, those without a key. */
  correlationKey?: string | undefined;
  /** The business key of the instances that it starts. A message also goes only to instances with it; if absent, to any. */
  businessKey?: string | undefined;
  /** Its data: merged into the data of each receiver. */
  data?: JsonObject | undefined;
  /** How long a message is kept for later receivers: an ISO 8601 duration of at most 30 days. */
  ttl?: string | undefined;
  /** The instance to which a message is sent. */
  instance?: string | undefined;
  /** A UUID that the app stores itself: publishing again with the same id has no second effect. */
  id?: string | undefined;
}

/** The options of {@link Instance.run} besides action and data. */
export interface RunOptions<View = JsonObject> extends WaitOptions {
  /** A UUID that the app stores itself: sending again with the same id has no second effect. */
  id?: string | undefined;
  /**
   * What the view shows until the server has answered: a patch that is merged into it, or a pure function of it. It is removed with
   * the first frame caused by the command, or when the command is refused.
   */
  optimistic?: JsonObject | ((view: View) => View) | undefined;
  /** The element instance, if several offer the action. */
  element?: string | undefined;
  /** The action is refused (`conflict`) if the instance has moved on since this number. */
  ifSeq?: number | undefined;
}

/** The types of one process: its start data, its view, and the data of each action. */
export interface ProcessShape {
  start?: unknown;
  view?: unknown;
  actions?: object;
}

/** Process id → its types: what the server's `types.d.ts` exports as `Processes`, or written by hand. */
export type AnyProcesses = Record<string, ProcessShape>;
/** The type of a process's view. */
export type ViewOf<S> = S extends { view: infer View } ? View : JsonObject;
/** Name of an action → type of its data. */
export type ActionsOf<S> = S extends { actions: infer Actions } ? Actions : Record<string, JsonObject>;
/** The type of a process's start data. */
export type StartOf<S> = S extends { start: infer Start } ? Start : JsonObject;
