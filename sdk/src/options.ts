import type { Client } from './client.js';
import type { ActionMessage } from './action-message.js';
import type { JsonObject } from './frames.js';
import type { Platform } from './platform.js';
import type { TokenStore } from './token.js';

/** How the connection stands. `signedOut` is final: the server refused this client, or a new token was not to be had. */
export type ConnectionStatus = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'signedOut';

/** Which way a logged frame went. */
export type Direction = 'in' | 'out';

/** Sees every frame; tokens and nonces are masked. */
export type FrameLog = (direction: Direction, frame: JsonObject) => void;

/** What {@link connect} takes. */
export interface ConnectOptions {
  /**
   * `wss://host/v1/ws`. A function is asked before every connect, which is the place to fetch a one-time ticket. If it throws
   * a {@link StepwireError} `unauthenticated` the client signs out; after any other failure it tries again.
   */
  url: string | (() => string | Promise<string>);
  /**
   * Asked before every connect, and again shortly before the token expires. `refused` is true when the server did not take
   * the last one: then a cached token is of no use. Throws like `url`.
   */
  getToken?: (refused: boolean) => string | undefined | Promise<string | undefined>;
  /** Without `getToken`: keeps the token that an anonymous start is given. Default: in memory. */
  tokenStore?: TokenStore;
  /** Told when an anonymous start is given its token. */
  onToken?: (token: string, instance: string) => void;
  /** The page's own values, from which a process started by an Action message takes its `clientDataKeys`. */
  clientData?: JsonObject | (() => JsonObject);
  /**
   * Sees each Action message that no handler of its instance handled. Return true to say that the app handles it; else a
   * message of the form START_PROCESS_INHERIT starts its process by itself.
   */
  onAction?: (message: ActionMessage) => boolean | void;
  /** Name and version of the app, for the server's list of connections. */
  client?: string;
  /** `true` writes every frame to the console; a function gets them. */
  debug?: boolean | FrameLog;
  /** Clock, network and randomness; only tests give another one. */
  platform?: Platform;
}

/** What {@link Client.start} takes beside the process. */
export interface StartOptions<Data = JsonObject> {
  data?: Data;
  /** Chooses among several start events. */
  startCondition?: string;
  businessKey?: string;
  /** A UUID that the app keeps itself, so that even a reload cannot start twice. */
  id?: string;
  /** Starts it as the child that this Action message asks for. */
  inheritFrom?: { instance: string; seq: number };
  /** Runs the draft, if there is one newer than what is published; needs role designer or admin. */
  test?: boolean;
}

/** What {@link Instance.run} takes beside action and data. */
export interface RunOptions {
  /** The element instance, when several offer the action. */
  element?: string;
  /** Refuses the action (`conflict`) when the instance has moved on since this number. */
  ifSeq?: number;
}

/** The types of one process: its start data, its view, and the data of each action. */
export interface ProcessShape {
  start?: unknown;
  view?: unknown;
  actions?: Record<string, unknown>;
}

/** Process id → its types. Generated from the definitions, or written by hand. */
export type AnyProcesses = Record<string, ProcessShape>;
export type ViewOf<S> = S extends { view: infer View } ? View : JsonObject;
export type ActionsOf<S> = S extends { actions: infer Actions } ? Actions : Record<string, JsonObject>;
export type StartOf<S> = S extends { start: infer Start } ? Start : JsonObject;

/** A client of which only the general form is known: what instances hold. @internal */
export type AnyClient = Client<AnyProcesses>;
