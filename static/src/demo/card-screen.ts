import { h } from '../dom.js';
import { icon } from '../icons.js';
import { running, Trouble } from './run-button.js';
import { screen, type Screen, type Stage } from './screen.js';

/** A payment card as a picture: the design is its colour, the theme its pattern. */
export function bankCard(holder: string, theme: string, design: string): HTMLElement {
  return h(
    'div',
    { class: 'bank-card', 'data-theme': theme, 'data-design': design, 'aria-hidden': 'true' },
    h('div', { class: 'top' }, h('span', {}, 'Harbour'), h('span', { class: 'chip' })),
    h('div', {}, h('div', { class: 'number' }, '5412 •••• •••• 3456'), h('div', { class: 'holder' }, holder)),
  );
}

/** The screen of the process that the onboarding asked the client to start: it offers designs. */
export function cardScreen({ visit }: Stage): Screen {
  const { view } = visit.card!;
  const { holder = '', theme = '', designs = [] } = view.get().card ?? {};
  const trouble = new Trouble();
  const options = designs.map((design, index) => {
    const radio = h('input', {
      type: 'radio',
      name: 'design',
      value: design,
      checked: index === 0,
      'data-testid': `design-${design}`,
    });
    return h('label', {}, bankCard(holder, theme, design), h('span', { class: 'pick' }, radio, capitalised(design)));
  });
  const order = h('button', { class: 'button primary', type: 'submit', 'data-testid': 'action-choose' }, 'Order my card');
  const legend = h('legend', { class: 'visually-hidden' }, 'Design');
  const form = h(
    'form',
    {},
    h('fieldset', { class: 'designs' }, legend, ...options),
    trouble.root,
    h('div', { class: 'actions' }, order),
  );
  form.addEventListener('submit', (submitted) => {
    submitted.preventDefault();
    const design = String(new FormData(form).get('design') ?? '');
    void running(order, trouble, () => visit.card!.run('choose', { card: { design } }));
  });
  const lead = `Welcome aboard${holder ? `, ${holder}` : ''}. Your account is open. Now choose the card that goes with it.`;
  return { root: screen('card', 'Choose your card', lead, form) };
}

/** The successful end. */
export function orderedScreen({ visit, startOver }: Stage): Screen {
  const { holder = '', theme = '', design = '' } = visit.card!.view.get().card ?? {};
  const again = h('button', { class: 'button', type: 'button', onclick: startOver }, icon('restart', 18), 'Play it again');
  const lead = h(
    'span',
    {},
    'We are sending you the ',
    h('strong', { 'data-testid': 'ordered-design' }, capitalised(design)),
    ' card.',
  );
  const mark = h('span', { class: 'mark' }, icon('check', 28));
  const root = screen(
    'ordered',
    'Your card is on its way',
    lead,
    bankCard(holder, theme, design),
    h('div', { class: 'actions' }, again),
  );
  root.prepend(mark);
  return { root };
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
