import { type Client, connect, type FrameLog, type Instance, onChild } from '@stepwire/client';
import { frameLog as masked } from '@stepwire/client/debug';
import { inherit } from '@stepwire/client/inherit';
import { localTokenStore, visitor } from '@stepwire/client/visitor';
import type { Processes } from './processes.js';
import { theme } from './theme.js';

export type Onboarding = Instance<Processes['onboarding']>;
export type CardOrder = Instance<Processes['cardOrder']>;

/** The instances named in the address: `#onboarding-key` or `#onboarding-key/card-order-key`. */
export function addressed(): { key?: string; cardKey?: string } {
  const [key, cardKey] = location.hash.slice(1).split('/');
  return { key: key || undefined, cardKey: cardKey || undefined };
}

/** Puts the instances into the address, so that a reload and a second tab continue. */
export function address(key: string, cardKey?: string): void {
  history.replaceState(null, '', `#${[key, cardKey].filter(Boolean).join('/')}`);
}

/** One visitor's connection to the server and the instances behind the page. */
export class Visit {
  readonly client: Client<Processes>;
  onboarding: Onboarding | undefined;
  card: CardOrder | undefined;

  /** `changed` is called whenever something that the page shows may have changed. */
  constructor(
    frameLog: FrameLog,
    private readonly changed: () => void,
  ) {
    const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/v1/ws`;
    const clientData = () => ({ theme: theme() });
    // Each visit has its own token: several can coexist, and each can continue after a reload.
    this.client = connect<Processes>({
      url,
      visitor: visitor(localTokenStore('stepwire.demo')),
      onAction: inherit(clientData),
      client: 'demo/1',
      debug: masked(frameLog),
    });
    this.client.status.subscribe(changed);
    const { key, cardKey } = addressed();
    if (key) this.follow(this.client.instance('onboarding', key));
    if (cardKey) this.followCard(this.client.instance('cardOrder', cardKey));
  }

  async start(): Promise<void> {
    this.follow(await this.client.start('onboarding'));
  }

  private follow(instance: Onboarding): void {
    this.onboarding = instance;
    address(instance.key, addressed().cardKey);
    for (const part of [instance.view, instance.actions, instance.nodes, instance.status, instance.error]) {
      part.subscribe(this.changed);
    }
    // `inherit` starts `cardOrder` when the process asks for it; here it is only shown.
    const look = () => {
      const card = instance.children.get().find(({ process, view }) => process === 'cardOrder' || 'card' in view.get());
      if (card && !this.card) this.followCard(card as unknown as CardOrder);
    };
    onChild(instance, (child) => {
      child.view.subscribe(look);
      look();
    });
    this.changed();
  }

  private followCard(card: CardOrder): void {
    this.card = card;
    if (this.onboarding) address(this.onboarding.key, card.key);
    for (const part of [card.view, card.actions, card.status, card.error]) part.subscribe(this.changed);
    this.changed();
  }
}
