/**
 * A user task that a page has open: the draft of the user's input, which the server stores for all devices of the user, and who
 * else has the task open.
 */
import type { Client } from './client.js';
import type { JsonObject, NoteFrame, PresentUser } from './frames.js';
import { type Instance, notePlace, type RunResult } from './instance.js';
import type { RunOptions } from './options.js';
import { select, type Store } from './store.js';

/** How long a draft may remain in the page before it is sent. */
const SAVE_MS = 1_000;
/** How often the server is told that somebody is typing; it assumes so for 10 s. */
const TYPING_MS = 5_000;

/** A task, and the one of its actions being filled in. */
export interface TaskPlace {
  /** Key of the element, as in `actions` and `nodes`. */
  element: string;
  /** Name of the action. */
  action: string;
}

/** A task that this page has open. */
export interface OpenTask {
  /** What the user has typed and not submitted, here or on another device; `undefined` while there is nothing. */
  readonly draft: Store<JsonObject | undefined>;
  /** Who else has the task open, and who is typing: a soft lock that blocks nobody. */
  readonly others: Store<readonly PresentUser[]>;
  /** Stores what the user has typed: sends it within a second, and tells the others that somebody is typing. Never rejects. */
  save(data: JsonObject): void;
  /** Drops the draft. */
  discard(): Promise<void>;
  /** Runs the action once no part of the draft is being sent, so that the draft is removed with it. */
  run(data?: JsonObject, options?: Omit<RunOptions<any>, 'element'>): Promise<RunResult>;
  /** Sends what was not sent yet, and no longer has the task open. */
  close(): void;
}

const NOBODY: readonly PresentUser[] = [];
type Note<Type> = (NoteFrame & { type: Type }) | undefined;

/** Opens a task of a followed instance. Close it when the page no longer shows it. */
export function openTask(client: Pick<Client, 'command' | 'status'>, instance: Instance<any>, place: TaskPlace): OpenTask {
  const { element, action } = place;
  const at = { instance: instance.key, element };
  /** The latest notes about this task, and about this action. */
  const drafted = notePlace({ type: 'drafted', ...place });
  const present = notePlace({ type: 'present', element });
  let unsent: JsonObject | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** The transmission in progress. */
  let sending: Promise<unknown> = Promise.resolve();
  let saidTyping = -Infinity;
  let closed = false;

  const send = (frame: JsonObject & { type: string }) => client.command({ ...at, ...frame }).then(() => undefined);
  // A task that no longer exists, or a connection that ends, shows in the instance's own stores.
  const quietly = (work: Promise<unknown>) => work.catch(() => undefined);
  const tell = (state: string) => void quietly(send({ type: 'presence', state }));

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const data = unsent;
    unsent = undefined;
    if (data) sending = quietly(Promise.all([sending, send({ type: 'draft', action, data })]));
    return sending;
  };

  // The server forgets the open tasks when the connection ends.
  const live = client.status.subscribe((status) => void (status === 'live' && tell('open')));
  if (client.status.get() === 'live') tell('open');

  return {
    draft: select(instance.notes, (notes) => (notes[drafted] as Note<'drafted'>)?.data ?? undefined),
    others: select(instance.notes, (notes) => (notes[present] as Note<'present'>)?.users ?? NOBODY),
    save(data) {
      unsent = data;
      timer ??= setTimeout(flush, SAVE_MS);
      if (Date.now() - saidTyping < TYPING_MS) return;
      saidTyping = Date.now();
      tell('typing');
    },
    async discard() {
      unsent = undefined;
      await flush();
      await send({ type: 'draft', action });
    },
    async run(data, options) {
      unsent = undefined;
      await flush();
      return (instance as Instance).run(action, data, { ...options, element });
    },
    close() {
      if (closed) return;
      closed = true;
      void flush();
      live();
      tell('closed');
    },
  };
}
