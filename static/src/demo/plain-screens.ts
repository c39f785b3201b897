import { h } from '../dom.js';
import { icon } from '../icons.js';
import { bankCard } from './card-screen.js';
import { running, Trouble } from './run-button.js';
import { screen, type Screen, type Stage } from './screen.js';
import { theme } from './theme.js';

/** The screen before anything is started. */
export function welcomeScreen({ visit }: Stage): Screen {
  const trouble = new Trouble();
  const start = h(
    'button',
    { class: 'button primary', type: 'button', 'data-testid': 'start' },
    'Open an account',
    icon('arrow', 18),
  );
  start.addEventListener('click', () => void running(start, trouble, () => visit.start()));
  const points = [
    ['bolt', 'One websocket', 'Each next step, its data and the actions you may run are pushed the moment they exist.'],
    ['layers', 'A process decides', 'Forms, buttons and order come from a BPMN diagram. This page only shows them.'],
    ['restart', 'Nothing is lost', 'Reload, open a second tab, or stop the server: you go on where you were.'],
  ] as const;
  const list = points.map(([name, title, text]) =>
    h('li', {}, icon(name, 24), h('strong', {}, title), h('span', { class: 'muted' }, text)),
  );
  const words = h(
    'div',
    { class: 'stack' },
    h('h1', { tabindex: -1 }, 'A bank account in two minutes'),
    h('p', { class: 'lead' }, 'Play a customer of a bank that does not exist, and watch how its process talks to this page.'),
    h('div', { class: 'actions' }, start),
    trouble.root,
  );
  const hero = h('div', { class: 'hero' }, words, bankCard('Ada Lovelace', theme(), 'ocean'));
  const root = h('section', { class: 'card screen', 'data-testid': 'screen', 'data-screen': 'welcome' });
  root.append(hero, h('ul', { class: 'points' }, ...list));
  return { root };
}

/** While the process works, or the page waits for its first frames. */
export function waitingScreen(title: string, text: string, name: string): Screen {
  const status = h(
    'div',
    { class: 'waiting', role: 'status' },
    h('span', { class: 'spinner' }),
    h('p', { class: 'muted' }, text),
  );
  return { root: screen(name, title, undefined, status) };
}

/** The account is open, and the process of the card has not started yet (or never will). */
export function doneScreen({ startOver }: Stage): Screen {
  const again = h('button', { class: 'button', type: 'button', onclick: startOver }, icon('restart', 18), 'Play it again');
  const root = screen('done', 'Your account is open', 'Welcome aboard.', h('div', { class: 'actions' }, again));
  root.prepend(h('span', { class: 'mark' }, icon('check', 28)));
  return { root };
}

/** The unsuccessful end. */
export function rejectedScreen({ visit, startOver }: Stage): Screen {
  const reason = visit.onboarding!.view.get().reason ?? 'The process ended before the account was opened.';
  const again = h('button', { class: 'button primary', type: 'button', onclick: startOver }, icon('restart', 18), 'Try again');
  const lead = h('span', { 'data-testid': 'reason' }, reason);
  const root = screen('rejected', 'We cannot open this account', lead, h('div', { class: 'actions' }, again));
  root.prepend(h('span', { class: 'mark bad' }, icon('cross', 28)));
  return { root };
}

/** The address names an instance that this browser may not, or may no longer, see. */
export function lostScreen({ startOver }: Stage): Screen {
  const again = h('button', { class: 'button primary', type: 'button', onclick: startOver }, 'Start a new one');
  const lead =
    'It has ended, or was started in another browser: a visitor is known only by a token kept in the browser, for a day.';
  return { root: screen('lost', 'This application is not open here', lead, h('div', { class: 'actions' }, again)) };
}
