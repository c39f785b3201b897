import { h, type Child } from '../dom.js';
import type { Visit } from './visit.js';

/** The main part of the page at one step. It is created when the step begins, and updated during the step. */
export interface Screen {
  root: HTMLElement;
  update?(): void;
}

/** What a screen uses. */
export interface Stage {
  visit: Visit;
  /** Shows the details form at a later step, from which the `back` action is run. */
  edit(on: boolean): void;
  startOver(): void;
}

/** The frame of every screen: a heading, which gets the focus so that a screen reader announces the new step, and a lead. */
export function screen(name: string, title: string, lead: Child, ...children: Child[]): HTMLElement {
  const heading = h('h1', { tabindex: -1 }, title);
  const header = h('header', {}, heading, lead ? h('p', { class: 'muted' }, lead) : undefined);
  return h('section', { class: 'card screen', 'data-testid': 'screen', 'data-screen': name }, header, ...children);
}
