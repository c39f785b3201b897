import { h } from '../dom.js';

/** What a button does, and how it looks. */
export interface CommandButton {
  label: string;
  /** Where the focus is after a redraw: `place/command`. */
  focus: string;
  /** Said to a screen reader behind the label, when the same button is in several rows. */
  about?: string;
  kind?: 'danger' | 'primary';
  run: () => void;
}

/** A button for a command to the server. Tests find it by its label in small letters. */
export function commandButton({ label, focus, about, kind, run }: CommandButton): HTMLElement {
  const id = label.toLowerCase().replace('…', '');
  const look = ['button', 'compact', kind].filter(Boolean).join(' ');
  const more = about !== undefined && h('span', { class: 'visually-hidden' }, ` ${about}`);
  return h('button', { class: look, type: 'button', 'data-testid': id, 'data-focus': focus, onclick: run }, label, more);
}
