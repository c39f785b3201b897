// **The client is a core and entries.** What every app loads has a budget of bytes, held by a test;
// what only some need (lists, visitors without sign-in, the log of frames, React, forms) is imported
// by those. State is held in closures, as names within them cost nothing.

import { type ActionMessage, pick } from './action-message.js';
import { channels, type Followed, INSTANCE, keyOf } from './channels.js';
import { connection } from './connection.js';
import { failure, guarded, StepwireError } from './error.js';
import type { ClientFrame, CommandResult, InstanceFrame, JsonObject, ListFrame, Published, ReplyFrame, ServerFrame, SnapshotFrame } from './frames.js';
import { instance, type Instance, type InstanceOwner, type Member } from './instance.js';
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
import { browser } from './platform.js';
import type { Store } from './store.js';

type Shape<P, K extends keyof P> = P[K] extends ProcessShape ? P[K] : ProcessShape;

/** What the maker of a followed channel is given. */
export interface Following {
  /** Asks for it anew. */
  again(): void;
  /** Ends one use; with the last one the server stops sending its frames. */
  close(): void;
}

/** One connection to the server, and all instances followed through it. */
export interface Client<P extends { [K in keyof P]: ProcessShape } = AnyProcesses> {
  readonly status: Store<ConnectionStatus>;
  /** Why there is no connection: at the moment, or (with a final status) for good. `undefined` while it is live. */
  readonly lastError: Store<StepwireError | undefined>;
  /**
   * Starts a process and follows it from its first record. Waits for a connection as long as it takes: `timeout` or `signal` end
   * the wait.
   */
  start<K extends keyof P & string>(process: K, options?: StartOptions<StartOf<P[K]>>): Promise<Instance<Shape<P, K>>>;
  /** Follows an instance by its key. All that ask for the same key share one object and one subscription. */
  instance<K extends keyof P & string>(process: K, key: string): Instance<Shape<P, K>>;
  /**
   * Follows a channel that holds no instance; `make` makes what takes its frames. All that ask for it share one, each calls
   * {@link Following.close} once. Lists are made of this: see `@stepwire/client/lists`.
   */
  follow<F extends Followed>(channel: string, make: (following: Following) => F): F;
  /**
   * Publishes a message or signal. Resolves to who got it, once those have it. Needs role operator, unless it is for one instance:
   * whoever may act in that may.
   */
  publish(what: Publication, wait?: WaitOptions): Promise<Published>;
  /**
   * Sends any command of the protocol and resolves to its reply. A lost connection or a server that has no room is no reason to
   * reject: it is sent again, with the same id, until it is answered.
   */
  command(frame: ClientFrame, options?: WaitOptions): Promise<ReplyFrame>;
  /** Ends the connection. Unanswered commands reject with `closed`, though the server may have got them. */
  close(): void;
  /** Ends the connection as {@link Client.close} does, because the user is one no longer: what waits rejects with `unauthenticated`. */
  signOut(): void;
}

/** Connects at once, and keeps connected until {@link Client.close}. Never throws: what hinders it stands in `lastError`. */
export function connect<P extends { [K in keyof P]: ProcessShape } = AnyProcesses>(options: ConnectOptions): Client<P> {
  const { getToken, clientData = {} } = options;
  const platform = options.platform ?? browser(options.webSocket);
  /** Name → schema of what an action takes. */
  const schemas: Record<string, JsonObject> = {};
  /** The instance whose snapshot came last among those the app opened: descendants' snapshots follow their root's. */
  let lastRoot: Member | undefined;

  const find = (key: string | null | undefined) => followed.get(INSTANCE + key) as Member | undefined;

  /** The root of an instance's tree, as far as the client knows. */
  const rootOf = (key: string): string => {
    const parent = find(key)?.parent;
    return parent === undefined ? key : rootOf(parent);
  };

  const auth = (token: string | undefined) =>
    commands.command({ type: 'auth', token }, { lane: TOKENS, again: false, timeout: Infinity });

  const keys = () => followed.all().map(({ channel }) => keyOf(channel));
  const visitor = getToken ? undefined : options.visitor?.({ rootOf, keys, auth });

  const command = (frame: ClientFrame, wait?: WaitOptions) => {
    visitor?.show(frame.instance as string);
    return commands.command(frame, wait);
  };

  const subscribe = (member: Member) => {
    visitor?.show(member.key);
    followed.subscribe(member);
  };

  const add = (key: string, process?: string, cursor?: number) => {
    const member = instance(owner, key, process);
    member.cursor = cursor;
    followed.add(member);
    return member;
  };

  const keep = ({ instance: key, token }: CommandResult) => token && visitor?.keep(key!, token);

  const start = async (process: string, { signal, timeout, ...more }: StartOptions<unknown>) => {
    const { inheritFrom, data = {}, subscribe: follow } = more;
    const nonce = inheritFrom ? undefined : visitor?.nonce();
    if (inheritFrom) visitor?.show(inheritFrom.instance);
    const { result } = await commands.command({ type: 'start', process, ...more, data, nonce }, { signal, timeout });
    const key = result.instance!;
    keep(result);
    const known = find(key);
    if (!known && follow === false) {
      const unfollowed = instance(owner, key, process);
      unfollowed.begin(result);
      return unfollowed;
    }
    const member = known ?? add(key, process);
    member.is(process);
    // A repeat after a lost answer: the frames went to the connection that is gone.
    if (!known) subscribe(member);
    return member;
  };

  const release = (member: Member) => {
    member.uses -= 1;
    if (member.uses > 0 || member.parent !== undefined || !followed.has(member)) return;
    const tree = [member];
    for (const one of tree) tree.push(...one.children);
    // What the app opened itself stays, and stands on its own from now on.
    const kept = tree.filter((one) => followed.has(one) && one.uses > 0);
    for (const one of tree.filter(({ uses }) => uses <= 0)) {
      followed.leave(one, one === member);
      one.settle();
    }
    for (const one of kept) {
      one.parent = undefined;
      followed.subscribe(one);
    }
  };

  const follow = <F extends Followed>(channel: string, make: (following: Following) => F): F => {
    const one = (followed.get(channel) as F | undefined) ?? make({
      again: () => followed.subscribe(one),
      close() {
        one.uses -= 1;
        if (!one.uses && followed.has(one)) followed.leave(one);
      },
    });
    if (!one.uses++) {
      followed.add(one);
      followed.subscribe(one);
    }
    return one;
  };

  const received = (frame: ServerFrame) => {
    if (frame.type === 'reply') return void commands.answer(frame);
    if (frame.type === 'schemas') return void Object.assign(schemas, frame.schemas);
    if (frame.type !== 'error') return route(frame as InstanceFrame | ListFrame);
    if (commands.answer(frame)) return;
    const error = new StepwireError(frame);
    if (frame.channel !== undefined) followed.refused(frame.channel, error);
    else wire.complained(error);
  };

  const route = (frame: InstanceFrame | ListFrame) => {
    const { channel } = frame;
    let to: Followed | undefined = followed.get(channel);
    // Frames of unknown types have any channel, or none.
    if (channel?.startsWith(INSTANCE)) {
      const snapshot = frame.type === 'snapshot' ? (frame as SnapshotFrame) : undefined;
      if (!to) {
        // Only a snapshot or a first frame makes an instance; anything else is late news of one that was closed.
        if (!snapshot && (frame as { prev?: number }).prev !== 0) return;
        const member = (to = add(keyOf(channel), undefined, snapshot ? undefined : 0));
        const root = lastRoot && followed.has(lastRoot) ? lastRoot : undefined;
        if (snapshot) (find(snapshot.parent) ?? root)?.addChild(member);
      }
      if (snapshot && to.uses > 0) lastRoot = to as Member;
    }
    to?.receive(frame);
  };

  const wire = connection(options, platform, {
    token: () => visitor?.hello(),
    tokenRefused: () => visitor?.refused() ?? false,
    resume: (room) => followed.resume(room, (key) => visitor?.named(key) ?? true),
    welcomed(welcome) {
      if (visitor) [...keys(), ...commands.instances()].forEach(visitor.show);
      commands.opened(welcome);
      followed.welcomed();
    },
    received,
    auth,
    lost(code) {
      commands.lost(code);
      followed.lost();
    },
    stopped(error) {
      commands.end(error);
      followed.end(error);
    },
  });

  const commands = outbox(
    platform,
    {
      transmit: wire.send,
      /** A start that nobody waited for any more was done: what it began is still good for whoever starts with the same id. */
      abandoned({ result }) {
        keep(result);
        const member = find(result.instance);
        if (!member || member.uses > 0 || member.parent !== undefined) return;
        member.uses = 1;
        release(member);
      },
      trouble: wire.lastError.get,
    },
    options.timeout,
  );

  const followed = channels(commands, platform);

  const owner: InstanceOwner = {
    platform,
    channels: followed,
    schemas,
    command,
    subscribe,
    release,
    announce: (parent, info) => parent.addChild(find(info.instance) ?? add(info.instance, info.process), info),
    handled: (message: ActionMessage) => guarded(() => options.onAction?.(message)) === true,
    async inherit(parent, { seq }, { process, dataKeys }) {
      const values = typeof clientData === 'function' ? clientData() : clientData;
      const child = await start(process, { data: pick(values, dataKeys), inheritFrom: { instance: parent.key, seq } });
      parent.addChild(child);
      child.deliverSoon();
    },
  };

  if (!getToken && !options.visitor && typeof options.url === 'string') {
    wire.giveUp(failure('unauthenticated', "expected the option 'getToken' or 'visitor', but there is neither; see the README"));
  }

  const open = <I>(member: Member) => {
    member.uses += 1;
    member.deliverSoon();
    return member.face as unknown as I;
  };

  return {
    status: wire.status,
    lastError: wire.lastError,
    start: async (process, more = {}) => open(await start(process, more as StartOptions<unknown>)),
    instance(process, key) {
      const known = find(key);
      const member = known ?? add(key, process);
      if (!known) subscribe(member);
      return open(member);
    },
    follow,
    publish: async (what, wait) => (await command({ type: 'publish', ...what }, wait)).result as unknown as Published,
    command,
    close: () => wire.stop(failure('closed', 'the client was closed')),
    signOut: () => wire.stop(failure('unauthenticated', 'the user has signed out'), 'signedOut'),
  };
}
