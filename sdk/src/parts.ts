// The parts of a client, as they find each other. They are put together in `client.ts`.

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

/** The parts of a client, by which they find each other. All are there before the first of them is asked for anything. */
export interface Parts {
  readonly _options: ConnectOptions;
  readonly _platform: Platform;
  /** What the core shares with what is loaded later: an import of it there would have bundlers cut the core in pieces. */
  readonly _shared: { _failure: typeof failure; _Error: typeof StepwireError; _jitter: typeof jitter; _uuidv7: typeof uuidv7 };
  /** Name → schema of what an action takes. */
  readonly _schemas: Record<string, JsonObject>;
  _wire: ReturnType<typeof connection>;
  _commands: Outbox;
  _channels: Channels;
  /** The tokens of an anonymous visitor; `undefined`: the app has `getToken`. */
  _visitor?: VisitorTokens | undefined;
  /** The instance of a key, if it is followed. */
  _find(key: string | null | undefined): Member | undefined;
  /** Takes what the server sends, but for what is about the connection itself. */
  _received(frame: ServerFrame): void;
  /** Shows the server a token. */
  _auth(token: string | undefined): Promise<ReplyFrame>;
  /** Ends one use of what is followed. */
  _release(one: Followed): void;
  /** Follows it no more, where nobody uses it. */
  _unused(one: Followed | undefined): void;
  /** An instance has a child. */
  _announce(parent: Member, info: ChildInfo): void;
  /** No handler of the instance has handled the message. Resolves when the app has. */
  _unhandled(message: ActionMessage): unknown;
}
