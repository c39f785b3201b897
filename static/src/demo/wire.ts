import type { Direction, JsonObject } from '@stepwire/client';
import { h } from '../dom.js';
import { icon } from '../icons.js';

const KEPT = 200;

/** The side panel that shows every frame of the page's connection, newest first. */
export class Wire {
  readonly root: HTMLElement;
  private readonly list = h('ol', { tabindex: 0, 'aria-label': 'Frames, newest first', 'data-testid': 'wire-list' });
  private readonly count = h('span', { class: 'count' }, '0 frames');
  private readonly body: HTMLElement;
  private frames = 0;

  constructor(private readonly toggled: (open: boolean) => void) {
    const button = h('button', {
      type: 'button',
      'aria-expanded': 'true',
      'aria-controls': 'wire-body',
      'data-testid': 'wire-toggle',
    });
    button.append(icon('chevron', 18), 'On the wire', this.count);
    const hint = h('p', {}, 'Every frame of the websocket behind this page: → sent, ← received. Secrets are masked.');
    this.body = h('div', { id: 'wire-body' }, hint, this.list);
    this.root = h('aside', { class: 'wire', 'aria-label': 'On the wire', 'data-testid': 'wire' }, button, this.body);
    button.addEventListener('click', () => {
      const open = Boolean(this.body.hidden);
      this.body.hidden = !open;
      button.setAttribute('aria-expanded', String(open));
      this.toggled(open);
    });
  }

  /** Adds a frame. */
  add(direction: Direction, frame: JsonObject): void {
    this.frames += 1;
    this.count.textContent = `${this.frames} frame${this.frames === 1 ? '' : 's'}`;
    const arrow = h(
      'span',
      { class: 'arrow', 'aria-label': direction === 'in' ? 'received' : 'sent', role: 'img' },
      direction === 'in' ? '←' : '→',
    );
    const summary = h('summary', {}, arrow, h('strong', {}, String(frame.type)), h('span', { class: 'what' }, describe(frame)));
    // Most frames are never opened: their text is created when one is.
    const details = h('details', {}, summary);
    details.addEventListener('toggle', () => details.append(h('pre', {}, JSON.stringify(frame, null, 2))), { once: true });
    this.list.prepend(h('li', { class: direction, 'data-frame': String(frame.type) }, details));
    if (this.list.children.length > KEPT) this.list.lastElementChild?.remove();
  }
}

/** The most informative part of a frame, in a few words. */
function describe(frame: JsonObject): string {
  const seq = frame.seq === undefined ? '' : `#${String(frame.seq)} `;
  switch (frame.type) {
    case 'run':
      return `${String(frame.action)} ${JSON.stringify(frame.data)}`;
    case 'hello':
      return `resume ${names(frame.resume, 'instance', 'nothing')}`;
    case 'welcome':
      return `ping every ${String(frame.pingSeconds)} s`;
    case 'subscribe':
    case 'live':
      return seq + String(frame.channel);
    case 'start':
      return String(frame.process);
    case 'error':
      return String(frame.code);
    case 'data':
    case 'view':
    case 'action':
      return seq + JSON.stringify(frame.body);
    case 'progress':
    case 'snapshot':
      return seq + names(frame.nodes, 'node', String(frame.status), 'at ');
    case 'reply':
      return seq + (frame.duplicate === true ? 'duplicate' : '');
    case 'child':
      return seq + String((frame.child as JsonObject | undefined)?.process);
    default:
      return seq;
  }
}

function names(list: unknown, member: string, otherwise: string, before = ''): string {
  const found = Array.isArray(list) ? list.map((item: JsonObject) => String(item[member])) : [];
  return found.length > 0 ? before + found.join(', ') : otherwise;
}
