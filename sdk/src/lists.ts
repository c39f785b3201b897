import type { StepwireError } from './error.js';
import type { ListFrame } from './frames.js';
import type { AnyClient } from './options.js';

/** What this needs of a list. */
interface Followed {
  readonly channel: string;
  uses: number;
  receive(frame: ListFrame): void;
  restart(): void;
  fail(error: StepwireError): void;
}

/** The lists that a client follows: all that ask for the same one share it. @internal */
export class Lists {
  private readonly followed = new Map<string, Followed>();

  constructor(private readonly client: AnyClient) {}

  /** The list that is followed already, or this new one. */
  open<L extends Followed>(list: L): L {
    const known = this.followed.get(list.channel) as L | undefined;
    const shared = known ?? list;
    shared.uses += 1;
    if (!known) {
      this.followed.set(list.channel, list);
      if (this.client.ready) this.subscribe(list);
    }
    return shared;
  }

  release(list: Followed): void {
    list.uses -= 1;
    if (list.uses > 0 || !this.forget(list) || !this.client.ready) return;
    this.client.command({ type: 'unsubscribe', channel: list.channel }, false).catch(() => undefined);
  }

  /** Asks for a snapshot and what comes after it. */
  subscribe(list: Followed): void {
    this.client.command({ type: 'subscribe', channel: list.channel }, false).catch((error: StepwireError) => {
      // After a lost connection the next one asks again.
      if (error.code !== 'closed') this.drop(list, error);
    });
  }

  /** A new connection knows of no list. */
  welcomed(): void {
    this.followed.forEach((list) => this.subscribe(list));
  }

  /** What the old connection still had to say will never come. */
  lost(): void {
    this.followed.forEach((list) => list.restart());
  }

  receive(frame: ListFrame): void {
    this.followed.get(frame.channel)?.receive(frame);
  }

  /** The server ended a list by itself. */
  refused(channel: string, error: StepwireError): void {
    const list = this.followed.get(channel);
    if (list) this.drop(list, error);
  }

  stopped(error: StepwireError): void {
    const lists = [...this.followed.values()];
    this.followed.clear();
    if (error.code !== 'closed') lists.forEach((list) => list.fail(error));
  }

  private drop(list: Followed, error: StepwireError): void {
    if (this.forget(list)) list.fail(error);
  }

  private forget(list: Followed): boolean {
    return this.followed.get(list.channel) === list && this.followed.delete(list.channel);
  }
}
