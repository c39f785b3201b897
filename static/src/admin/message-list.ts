import type { JsonObject } from '@stepwire/client';
import { h } from '../dom.js';
import { time } from './elements-table.js';

/** A message as `GET /v1/instances/{key}/messages` lists it; a pushed frame has the same members except the time. */
export interface PushedMessage {
  seq: number;
  kind: 'data' | 'action' | 'view';
  node?: string;
  action?: string;
  origin?: string | null;
  at?: string;
  body: unknown;
}

/** The message in a frame of the channel, if it is one. */
export function messageIn(frame: JsonObject, channel: string): PushedMessage | undefined {
  const { type } = frame;
  if (frame.channel !== channel || (type !== 'data' && type !== 'action' && type !== 'view')) return undefined;
  return { ...(frame as unknown as PushedMessage), kind: type, at: new Date().toISOString() };
}

/** The messages that an instance pushed, newest first; one that is both listed and pushed live is shown once. */
export class MessageList {
  private readonly shown = new Set<number>();
  private highest = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly whyNull: (message: PushedMessage) => Promise<string[]>,
  ) {}

  add(message: PushedMessage): void {
    if (this.shown.has(message.seq)) return;
    this.shown.add(message.seq);
    const item = h('li', { 'data-seq': message.seq }, this.draw(message));
    const newest = message.seq > this.highest;
    this.highest = Math.max(this.highest, message.seq);
    const older = [...this.root.children].find((other) => Number((other as HTMLElement).dataset.seq) < message.seq);
    if (newest) this.root.prepend(item);
    else this.root.insertBefore(item, older ?? null);
  }

  private draw(message: PushedMessage): HTMLElement {
    const { seq, kind, node, action, origin, at, body } = message;
    const from = [node, action].filter(Boolean).join(' · ');
    const summary = h(
      'summary',
      {},
      h('code', {}, `#${seq}`),
      h('strong', {}, kind),
      from,
      h('span', { class: 'muted' }, time(at)),
    );
    if (origin) summary.append(h('span', { class: 'muted small' }, `from child ${origin}`));
    const reasons = h('ul', { class: 'reasons', 'data-testid': 'null-reasons' });
    let asked = false;
    const details = h('details', {}, summary, h('pre', {}, JSON.stringify(body, null, 2)), reasons);
    details.addEventListener('toggle', () => {
      if (asked || !details.open || !JSON.stringify(body).includes('null')) return;
      asked = true;
      void this.whyNull(message).then((found) => reasons.replaceChildren(...found.map((reason) => h('li', {}, reason))));
    });
    return details;
  }
}
