// What an app gives to `connect`, `start`, `run` and `publish`, and how processes are typed. Nothing here runs.

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
 * - `reconnecting`: it was lost a moment ago; mostly it is back before anybody notices.
 * - `lost`: for 5 s there has been none. That is the time to tell the user. The client goes on trying.
 * - `offline`: the device says that it has no network. The client goes on trying.
 * - `signedOut`: final. The server refused this user, or a new token was not to be had.
 * - `closed`: final. The app closed the client, or the server ended the connection for good; `lastError` says why.
 */
export type ConnectionStatus = 'connecting' | 'live' | 'reconnecting' | 'lost' | 'offline' | 'signedOut' | 'closed';

/** Which way a logged frame went. */
export type Direction = 'in' | 'out';

/** Sees every frame, as it is: with its tokens. `frameLog` of `@stepwire/client/debug` masks them. */
export type FrameLog = (direction: Direction, frame: JsonObject) => void;

/** What {@link connect} takes. */
export interface ConnectOptions {
  /**
   * `wss://host/v1/ws`. A function is asked before every connect, which is the place to fetch a one-time ticket. If it throws
   * a {@link StepwireError} `unauthenticated` the client signs out; after any other failure, or 30 s without an answer, it tries again.
   */
  url: string | (() => string | Promise<string>);
  /**
   * Asked before every connect, and again shortly before the token expires. `refused` is true when the server did not take
   * the last one: then a cached token is of no use. Throws like `url`.
   */
  getToken?: ((refused: boolean) => string | undefined | Promise<string | undefined>) | undefined;
  /** For people who need not sign in, instead of `getToken`: `visitor()` of `@stepwire/client/visitor`. */
  visitor?: Visitor | undefined;
  /**
   * Gets each Action message that no handler of its instance handled. `inherit()` of `@stepwire/client/inherit` starts the process
   * that a START_PROCESS_INHERIT message asks for. What a promise rejects with is in the `error` store of the instance.
   */
  onAction?: ((message: ActionMessage, client: Client) => unknown) | undefined;
  /** Where the runtime has no global `WebSocket`, as Node 20: that of a package, such as `ws`. */
  webSocket?: WebSocketConstructor | undefined;
  /** How long a command waits for its answer, in milliseconds, where it does not say itself. Default: as long as it takes. */
  timeout?: number | undefined;
  /** The actions bring the JSON Schema of what they take, for `<stepwire-form>` and other forms. */
  schemas?: boolean | undefined;
  /** Name and version of the app, for the server's list of connections. */
  client?: string | undefined;
  /** Gets every frame. `frameLog()` of `@stepwire/client/debug` writes them to the console. */
  debug?: FrameLog | undefined;
  /** Clock, network and randomness; only tests give another one, and `webSocket` is not looked at then. */
  platform?: Platform | undefined;
}

/** How long any command waits for its answer. What has been sent may take effect nevertheless. */
export interface WaitOptions {
  /** Ends the wait: the command rejects with `aborted`, and with the signal's reason as `cause`. */
  signal?: AbortSignal | undefined;
  /** Milliseconds; then the command rejects with `timeout`. */
  timeout?: number | undefined;
}

/** What {@link Client.start} takes beside the process. */
export interface StartOptions<Data = JsonObject> extends WaitOptions {
  data?: Data | undefined;
  /** Chooses among several start events. */
  startCondition?: string | undefined;
  businessKey?: string | undefined;
  /** A UUID that the app keeps itself, so that even a reload cannot start twice; see {@link startId}. */
  id?: string | undefined;
  /** `false`: it is not followed. Its stores show the step it was started with, and stay as they are. */
  subscribe?: boolean | undefined;
  /** Starts it as the child that this Action message asks for. */
  inheritFrom?: { instance: string; seq: number } | undefined;
  /** Runs the draft, if there is one newer than what is published; needs role designer or admin. */
  test?: boolean | undefined;
}

/** A message or signal that {@link Client.publish} publishes. */
export interface Publication {
  name: string;
  /** `message`, as without it: to one in each process; `signal`: to all who wait. */
  kind?: 'message' | 'signal' | undefined;
  /** Which of those who wait for the name a message is for; those without a key when left out. */
  correlationKey?: string | undefined;
  /** What it brings: merged into the data of each receiver. */
  data?: JsonObject | undefined;
  /** How long a message is kept for those who do not wait yet: an ISO 8601 duration of at most 30 days. */
  ttl?: string | undefined;
  /** The instance a message is for: to what waits there for its name. */
  instance?: string | undefined;
  /** A UUID that the app keeps itself: what is published again with it has no second effect. */
  id?: string | undefined;
}

/** What {@link Instance.run} takes beside action and data. */
export interface RunOptions<View = JsonObject> extends WaitOptions {
  /** A UUID that the app keeps itself: what is sent again with it is done once. */
  id?: string | undefined;
  /**
   * What the view shows until the server has answered: a patch that is merged into it, or a pure function of it. It goes with the
   * first frame that the command has caused, or with its refusal.
   */
  optimistic?: JsonObject | ((view: View) => View) | undefined;
  /** The element instance, when several offer the action. */
  element?: string | undefined;
  /** Refuses the action (`conflict`) when the instance has moved on since this number. */
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
/** What the view of a process holds. */
export type ViewOf<S> = S extends { view: infer View } ? View : JsonObject;
/** Name of an action → what it takes. */
export type ActionsOf<S> = S extends { actions: infer Actions } ? Actions : Record<string, JsonObject>;
/** What a start takes. */
export type StartOf<S> = S extends { start: infer Start } ? Start : JsonObject;
