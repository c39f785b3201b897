// **The client is a core and entries.** What every app loads has a budget of bytes, checked by a test; what only some apps need
// (lists, visitors without sign-in, the log of frames, React, forms) is in entries of its own. State is held in closures, as names
// within them are minified.

import { jitter } from './backoff.js';
import { channels, type Followed, INSTANCE, keyOf } from './channels.js';
import { connection } from './connection.js';
import { type ErrorCode, failure, StepwireError } from './error.js';
import type { ClientFrame, InstanceFrame, JsonObject, ListFrame, Published, ReplyFrame, ServerFrame, Step } from './frames.js';
import { instance, type Instance, type Member } from './instance.js';
import type {
  AnyProcesses,
  ConnectionStatus,
  ConnectOptions,
  ProcessShape,
  Publication,
  StartOf,
  StartOptions,
  WaitOptions,
} from './options.js';
import { outbox, TOKENS } from './outbox.js';
import type { Parts } from './parts.js';
import { browser } from './platform.js';
import type { Store } from './store.js';
import { uuidv7 } from './uuid.js';

type Shape<P, K extends keyof P> = P[K] extends ProcessShape ? P[K] : ProcessShape;

/** What the factory of a followed channel receives. */
export interface Following {
  /** Subscribes again. */
  _again(): void;
  /** Ends one use; after the last one the server stops sending its frames. */
  _close(): void;
}

/** One connection to the server, and all instances followed through it. */
export interface Client<P extends { [K in keyof P]: ProcessShape } = AnyProcesses> {
  readonly status: Store<ConnectionStatus>;
  /**
   * Why there is no connection: temporarily (a new error for each attempt, `afterMs` says when the next one is made), or, with a
   * final status, permanently. `undefined` while connected.
   */
  readonly lastError: Store<StepwireError | undefined>;
  /**
   * Starts a process and follows it from its first record. Waits for a connection without limit, unless `timeout` or `signal` end
   * the wait.
   */
  start<K extends keyof P & string>(process: K, options?: StartOptions<StartOf<P[K]>>): Promise<Instance<Shape<P, K>>>;
  /** Follows an instance by its key. All uses of the same key share one object and one subscription. */
  instance<K extends keyof P & string>(process: K, key: string): Instance<Shape<P, K>>;
  /**
   * Follows a channel other than an instance; `make` creates the object that receives its frames. All uses share one. Lists are
   * built on this: see `@stepwire/client/lists`.
   * @internal
   */
  _follow<F extends Followed>(channel: string, make: (following: Following) => F): F;
  /**
   * Publishes a message or signal. Resolves to its receivers once they have received it. Needs role operator, unless it addresses
   * one instance: then anyone who may act in that instance may publish.
   */
  publish(what: Publication, wait?: WaitOptions): Promise<Published>;
  /**
   * Sends any command of the protocol and resolves to its reply. It does not reject when the connection is lost or the server is
   * busy: it sends the command again, with the same id, until it is answered.
   */
  command(frame: ClientFrame, options?: WaitOptions): Promise<ReplyFrame>;
  /** Closes the connection. Unanswered commands reject with `closed`, though the server may have received them. */
  close(): void;
  /**
   * Closes the connection like {@link Client.close} because the user has signed out; pending commands reject with
   * `unauthenticated`.
   */
  signOut(): void;
}

/** Connects immediately, and stays connected until {@link Client.close}. Never throws: problems are in `lastError`. */
export function connect<P extends { [K in keyof P]: ProcessShape } = AnyProcesses>(options: ConnectOptions): Client<P> {
  const schemas: Record<string, JsonObject> = {};

  const find = (key: string | null | undefined) => followed._get(INSTANCE + key) as Member | undefined;

  /** Adds an instance announced by the server; its frames follow without a subscription. */
  const add = (key: string, process?: string) => {
    const member = instance(parts, key, process);
    followed._add(member);
    return member;
  };

  /** Opens one more use of the channel with this name; `make` creates it if it is not followed yet. */
  const open = <F extends Followed>(channel: string, make: () => F): F => {
    const known = followed._get(channel) as F | undefined;
    const one = known ?? make();
    one._uses += 1;
    if (!known) {
      followed._add(one);
      followed._subscribe(one);
    }
    return one;
  };

  const openInstance = (process: string, key: string) => {
    const member = open(INSTANCE + key, () => instance(parts, key, process));
    member.process ||= process;
    member._deliverSoon();
    return member;
  };

  /** Ends one use. After the last one it is no longer followed, unless as part of a tree. */
  const release = (one: Followed) => {
    one._uses -= 1;
    unused(one);
  };

  const unused = (one: Followed | undefined) =>
    one && one._uses <= 0 && one._parent === undefined && followed._has(one) && drop(one as Member);

  /** Stops following an instance and everything below it, except what the app itself opened. */
  const drop = (member: Member, root = true) => {
    followed._leave(member, root);
    member._fail();
    for (const child of member.children?.get() ?? []) {
      child._parent = undefined;
      if (!followed._has(child)) continue;
      if (child._uses > 0) followed._subscribe(child);
      else drop(child, false);
    }
  };

  const received = (frame: ServerFrame) => {
    if (commands._answer(frame)) return;
    if (frame.type === 'schemas') return void Object.assign(schemas, frame.schemas);
    const { channel } = frame as { channel?: string };
    if (frame.type === 'error') {
      const error = new StepwireError(frame);
      if (channel === undefined) wire._complained(error);
      else followed._refused(channel, error);
      return;
    }
    const { parent, prev } = frame as { parent?: string; prev?: number };
    let to = followed._get(channel!);
    // Only a snapshot or a first frame creates an instance; other frames are late ones of an instance that was closed. Frames of
    // unknown types may have any channel, or none.
    if (!to && channel?.startsWith(INSTANCE) && (frame.type === 'snapshot' || prev === 0)) {
      const member = (to = add(keyOf(channel)));
      find(parent)?._addChild(member);
    }
    to?._receive(frame as InstanceFrame | ListFrame);
  };

  const parts = {
    _options: options,
    _platform: options.platform ?? browser(options.webSocket),
    _schemas: schemas,
    _shared: { _failure: failure, _Error: StepwireError, _jitter: jitter, _uuidv7: uuidv7 },
    _find: find,
    _received: received,
    _auth: (token) => commands._command({ type: 'auth', token }, { _lane: TOKENS, _again: false, timeout: Infinity }),
    _unused: unused,
    _release: release,
    _announce: (parent, info) => parent._addChild(find(info.instance) ?? add(info.instance, info.process), info),
    _unhandled: (message) => options.onAction?.(message, client as unknown as Client),
  } as Partial<Parts> as Parts;
  const wire = (parts._wire = connection(parts));
  const commands = (parts._commands = outbox(parts));
  const followed = (parts._channels = channels(parts));
  if (!options.getToken) parts._visitor = options.visitor?.(parts);

  /** Ends the client permanently. */
  const end = (code: ErrorCode, message: string) => wire._stop(failure(code, message));

  if (!options.getToken && !options.visitor && typeof options.url === 'string') {
    end('unauthenticated', "expected the option 'getToken' or 'visitor', but there is neither");
  }

  const client: Client<P> = {
    status: wire._status,
    lastError: wire._lastError,
    async start(process, { signal, timeout, ...more } = {}) {
      const { inheritFrom, data = {}, subscribe } = more;
      const { result } = await commands._command({ type: 'start', process, ...more, data }, { signal, timeout });
      const key = result.instance!;
      let member = find(key);
      if (!member && subscribe === false) {
        member = instance(parts, key, process);
        member._step(result as Step);
      } else {
        // A repetition after a lost answer is subscribed again: its frames went to the old connection.
        member = openInstance(process, key);
        find(inheritFrom?.instance)?._addChild(member);
      }
      return member as any;
    },
    instance: (process, key) => openInstance(process, key) as any,
    _follow: (channel, make) => {
      const one: ReturnType<typeof make> = open(channel, () =>
        make({ _again: () => followed._subscribe(one), _close: () => release(one) }),
      );
      return one;
    },
    publish: async (what, wait) => (await commands._command({ type: 'publish', ...what }, wait)).result as unknown as Published,
    command: (frame, wait) => commands._command(frame, wait),
    close: () => end('closed', 'the client was closed'),
    signOut: () => end('unauthenticated', 'the user has signed out'),
  };
  return client;
}
