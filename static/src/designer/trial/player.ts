/** A user of a trial: a separate client, as in an app, and what was pushed to it. */
import { type ActionMessage, type Client, connect, type Instance, type JsonObject } from '@stepwire/client';
import type { Refused } from '../../admin/definitions.js';
import { messageIn, type PushedMessage } from '../../admin/message-list.js';
import { socketOf, tokenOf } from './trial-api.js';

/** An instance that does not exist: a command to it changes nothing, and its answer comes after everything sent before. */
const NONE = 'instance/00000000-0000-0000-0000-000000000000';

export class Player {
  readonly client: Client;
  private readonly followed = new Map<string, Instance>();
  private readonly messages = new Map<string, PushedMessage[]>();
  /** Action messages that ask for the start of a process. */
  readonly offers = new Map<string, ActionMessage[]>();

  constructor(
    trial: string,
    readonly name: string,
    readonly roles: readonly string[],
    private readonly changed: () => void,
    /** The server has no such trial any more. */
    ended: () => void,
  ) {
    this.client = connect({
      url: socketOf(trial),
      getToken: () =>
        tokenOf(trial, name, roles).catch((error: Refused) => {
          if (error.status === 404) ended();
          throw error;
        }),
      schemas: true,
      // A request for a process is shown as a button, so that the user decides.
      debug: (way, frame) => way === 'in' && this.received(frame),
    });
    // The connections of a trial that ends are closed for good.
    this.client.status.subscribe((status) => (status === 'signedOut' ? ended() : this.changed()));
  }

  private received(frame: JsonObject): void {
    const channel = frame.channel as string | undefined;
    if (!channel?.startsWith('instance/')) return;
    const message = messageIn(frame, channel);
    if (message) {
      const key = channel.slice('instance/'.length);
      this.messages.set(key, [...(this.messages.get(key) ?? []), message]);
    }
    this.changed();
  }

  /** Follows an instance, as far as this user may. */
  follow(process: string, key: string): Instance {
    const known = this.followed.get(key);
    if (known) return known;
    const instance = this.client.instance(process, key);
    this.followed.set(key, instance);
    for (const store of [instance.view, instance.actions, instance.nodes, instance.status, instance.error])
      store.subscribe(() => this.changed());
    instance.onAction((message) => {
      this.offers.set(key, [...(this.offers.get(key) ?? []), message]);
      this.changed();
      return true;
    });
    return instance;
  }

  messagesOf(key: string): readonly PushedMessage[] {
    return this.messages.get(key) ?? [];
  }

  /** Waits for everything that the server has sent so far. */
  async catchUp(): Promise<void> {
    await this.client.command({ type: 'unsubscribe', channel: NONE }, { timeout: 5_000 }).catch(() => undefined);
  }

  close(): void {
    this.client.close();
  }
}
