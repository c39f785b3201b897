import { h } from '../dom.js';
import { icon } from '../icons.js';

const STEPS = [
  ['details', 'Your details', 'A user task'],
  ['check', 'Credit check', 'A child process'],
  ['review', 'Review', 'Optional and back actions'],
  ['card', 'Your card', 'An inherited process'],
] as const;

export type StepName = (typeof STEPS)[number][0];

/** The position of the token, as the four steps a visitor knows. */
export interface Progress {
  now: StepName | undefined;
  /** Everything is done. */
  finished: boolean;
  /** The process ended at the current step. */
  failed: boolean;
}

/** The list of steps with the current one marked. */
export function steps({ now, finished, failed }: Progress): HTMLElement {
  const at = finished ? STEPS.length : STEPS.findIndex(([name]) => name === now);
  const items = STEPS.map(([name, label, hint], index) => {
    const state = index < at ? 'done' : index > at ? 'later' : failed ? 'failed' : 'now';
    const mark = state === 'done' ? icon('check', 16) : state === 'failed' ? icon('cross', 16) : undefined;
    const said = state === 'done' && h('span', { class: 'visually-hidden' }, ' (done)');
    return h(
      'li',
      { 'data-state': state, 'data-testid': `step-${name}`, 'aria-current': state === 'now' && 'step' },
      h('strong', {}, mark, label, said),
      h('span', {}, hint),
    );
  });
  return h('ol', { class: 'steps', 'aria-label': 'Progress' }, ...items);
}
