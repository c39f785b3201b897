import { type Child, h } from '../dom.js';
import { type Problem, Refused } from './definitions.js';

/** The problems of a definition, as a list; `jump` makes each problem link to its element. */
export function problemList(problems: readonly Problem[], jump?: (problem: Problem) => void): HTMLElement {
  const items = problems.map((problem) => {
    const { element, message, severity, code } = problem;
    const sign = h('span', { class: 'badge', 'data-status': severity === 'error' ? 'incident' : 'warning' }, severity);
    const place = element && h('code', {}, element);
    const text = h('span', { class: 'problem-text' }, ...withCode(message));
    const inside = [sign, place || undefined, text];
    const item = { 'data-code': code, 'data-element': element, 'data-severity': severity };
    if (!jump) return h('li', { class: 'problem', ...item }, ...inside);
    const button = h('button', { type: 'button', class: 'problem', onclick: () => jump(problem) }, ...inside);
    return h('li', item, button);
  });
  return h('ul', { class: 'problem-list', 'data-testid': 'problem-list' }, ...items);
}

/** Why a file was not imported: a sentence, and what is wrong with its model. */
export function importTrouble(error: Error): { reason: string; list: HTMLElement | false } {
  const found = error instanceof Refused ? error.problems : [];
  return found.length > 0 ? { reason: 'it has these problems', list: problemList(found) } : { reason: error.message, list: false };
}

/** A sentence whose `names` are set as code. */
function withCode(sentence: string): Child[] {
  return sentence.split(/`([^`]+)`/).map((part, at) => (at % 2 === 1 ? h('code', {}, part) : part));
}
