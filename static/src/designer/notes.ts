/** The messages of the designer: errors, completed actions, and changes by others meanwhile. */
import { Refused } from '../admin/definitions.js';
import { signInUrl } from '../connection-badge.js';
import { byId, type Child, h } from '../dom.js';

export interface Way {
  label: string;
  run: () => unknown;
}

function draw(place: string, look: string, sentence: string, ways: readonly Way[], ...more: Child[]): void {
  const root = byId(place);
  const buttons = ways.map(({ label, run }) =>
    h('button', { type: 'button', class: 'button compact', onclick: () => (root.replaceChildren(), run()) }, label),
  );
  const close = h(
    'button',
    { type: 'button', class: 'button quiet compact', 'aria-label': 'Close this note', onclick: () => root.replaceChildren() },
    'Close',
  );
  root.replaceChildren(
    h(
      'div',
      { class: `note ${look}` },
      h('div', { class: 'stack' }, h('p', {}, sentence), ...more, h('div', { class: 'row' }, ...buttons, close)),
    ),
  );
}

/** Shows an error. */
export function complain(sentence: string, ways: readonly Way[] = [], ...more: Child[]): void {
  draw('trouble', 'bad', sentence, ways, ...more);
}

const isSignedOut = (error: Error) => error instanceof Refused && error.status === 401;

/** Why something was not done, in words for the user. */
export function reasonOf(error: Error): string {
  return isSignedOut(error) ? 'you are signed out' : error.message;
}

/** Shows why something was not done, and what is left of it. A way back in is offered to who is signed out. */
export function complainOf(error: Error, what: string, left = ''): void {
  const ways = isSignedOut(error) ? [{ label: 'Sign in again', run: () => open(signInUrl(), '_blank') }] : [];
  complain(`${what}: ${reasonOf(error)}. ${left}`.trim(), ways);
}

/** Shows information. */
export function tell(sentence: string, ways: readonly Way[] = [], ...more: Child[]): void {
  draw('news', 'warn', sentence, ways, ...more);
}

export function clearTrouble(): void {
  byId('trouble').replaceChildren();
}

export function clearNews(): void {
  byId('news').replaceChildren();
}

/** Shows the result of the last save. */
export function saved(sentence: string): void {
  byId('saved').textContent = sentence;
}

/** Says what was done to draw a model, and what of it is not drawn. */
export function tellOfDrawing(hadDiagram: boolean, warnings: readonly { message: string }[]): void {
  const laidOut = hadDiagram ? '' : 'This model had no diagram; it was laid out automatically. ';
  const missing = warnings.length > 0 ? `Some of this model cannot be drawn: ${warnings.map(({ message }) => message).join('; ')}.` : '';
  if (laidOut || missing) tell(`${laidOut}${missing}`.trim());
}
