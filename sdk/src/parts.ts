// The parts of a client, through which they access each other. They are assembled in `client.ts`.

import type { jitter } from './backoff.js';
import type { Channels, Followed } from './channels.js';
import type { connection } from './connection.js';
import type { failure, StepwireError } from './error.js';
import type { ChildInfo, JsonObject, ReplyFrame, ServerFrame } from './frames.js';
import type { ActionMessage, Member } from './instance.js';
import type { ConnectOptions } from './options.js';
import type { Outbox } from './outbox.js';
import type { Platform } from './platform.js';
import type { uuidv7 } from './uuid.js';
import type { VisitorTokens } from './visitor.js';

/** The parts of a client, through which they access each other. All exist before the first of them is used. */
export interface Parts {
  readonly _options: ConnectOptions;
  readonly _platform: Platform;
  /** Shared by the core with modules loaded later: if those imported it, bundlers would split the core. */
  readonly _shared: { _failure: typeof failure; _Error: typeof StepwireError; _jitter: typeof jitter; _uuidv7: typeof uuidv7 };
  /** Name → schema of the data of an action. */
  readonly _schemas: Record<string, JsonObject>;
  _wire: ReturnType<typeof connection>;
  _commands: Outbox;
  _channels: Channels;
  /** The tokens of an anonymous visitor; `undefined`: the app has `getToken`. */
  _visitor?: VisitorTokens | undefined;
  /** The instance with this key, if it is followed. */
  _find(key: string | null | undefined): Member | undefined;
  /** Handles the frames of the server, except those about the connection itself. */
  _received(frame: ServerFrame): void;
  /** Sends a token to the server. */
  _auth(token: string | undefined): Promise<ReplyFrame>;
  /** Ends one use of a followed channel. */
  _release(one: Followed): void;
  /** Stops following it, if nobody uses it. */
  _unused(one: Followed | undefined): void;
  /** An instance has a child. */
  _announce(parent: Member, info: ChildInfo): void;
  /** No handler of the instance has handled the message. Resolves when the app has. */
  _unhandled(message: ActionMessage): unknown;
}
