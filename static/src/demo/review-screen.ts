import type { FieldError } from '@stepwire/client';
import { h } from '../dom.js';
import { icon } from '../icons.js';
import { running, Trouble } from './run-button.js';
import { screen, type Screen, type Stage } from './screen.js';

const money = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR', maximumFractionDigits: 0 });

/** The `review` task: the data so far, an optional repeatable action, the way back, and the consent. */
export function reviewScreen(stage: Stage): Screen {
  const facts = h('dl', { class: 'facts', 'data-testid': 'facts' });
  const news = h('div', { class: 'stack', 'aria-live': 'polite' });
  const simulator = loanSimulator(stage);
  const consent = consentForm(stage);
  const root = screen(
    'review',
    'Check and confirm',
    'Nothing is final until you confirm.',
    news,
    h('div', { class: 'panel' }, facts, h('div', { class: 'actions' }, backButton(stage))),
    simulator.root,
    consent.root,
  );
  const update = () => {
    const { client, credit, creditCheck, contract, reminder } = stage.visit.onboarding!.view.get();
    const { rating, score }: { rating?: string; score?: number } = { ...creditCheck, ...credit };
    const name = [client?.firstName, client?.lastName].filter(Boolean).join(' ');
    const income = typeof client?.income === 'number' ? money.format(client.income) : undefined;
    const scored = score === undefined ? rating : `${rating ?? '—'} (${score})`;
    const rows = { Name: name, Email: client?.email, Age: client?.age, Income: income, 'Credit rating': scored };
    facts.replaceChildren(...Object.entries(rows).map(([term, value]) => fact(term, value)));
    news.replaceChildren(
      ...(reminder ? [note('warn', 'bell', String(reminder), 'reminder')] : []),
      ...(contract ? [note('good', 'document', `Your contract is ${contract.status} for ${contract.for}.`, 'contract')] : []),
    );
    simulator.update();
    consent.update();
  };
  update();
  return { root, update };
}

function fact(term: string, value: unknown): HTMLElement {
  const text = value === undefined || value === null || value === '' ? '—' : String(value);
  return h('div', {}, h('dt', {}, term), h('dd', { 'data-fact': term }, text));
}

function note(kind: string, name: 'bell' | 'document', text: string, testId: string): HTMLElement {
  return h('p', { class: `note ${kind}`, 'data-testid': testId }, icon(name), h('span', {}, text));
}

function backButton({ edit, visit }: Stage): HTMLElement | undefined {
  const offered = visit.onboarding!.actions.get().some(({ name, back }) => name === 'save' && back);
  if (!offered) return undefined;
  const button = h(
    'button',
    { class: 'button compact', type: 'button', 'data-testid': 'back' },
    icon('back', 18),
    'Change my details',
  );
  button.addEventListener('click', () => edit(true));
  return button;
}

function slider(
  name: string,
  label: string,
  [min, max, step, value]: [number, number, number, number],
  show: (n: number) => string,
) {
  const output = h('output', { for: name }, show(value));
  const input = h('input', { type: 'range', id: name, min, max, step, value, 'data-testid': name });
  input.addEventListener('input', () => (output.textContent = show(input.valueAsNumber)));
  const root = h('div', { class: 'field' }, h('div', { class: 'amount' }, h('label', { for: name }, label), output), input);
  return { root, input };
}

function loanSimulator({ visit }: Stage): Required<Screen> {
  const instance = visit.onboarding!;
  const trouble = new Trouble();
  const amount = slider('loan.amount', 'Loan', [1_000, 50_000, 500, 10_000], (value) => money.format(value));
  const months = slider('loan.months', 'Over', [6, 84, 6, 24], (value) => `${value} months`);
  const simulate = h('button', { class: 'button', type: 'submit', 'data-testid': 'action-simulate' }, 'Calculate');
  const result = h('p', { 'data-testid': 'simulation', 'aria-live': 'polite' });
  const form = h('form', { class: 'panel tint' }, h('h2', {}, 'Could I afford a loan?'));
  form.append(
    h('div', { class: 'form-grid' }, amount.root, months.root),
    result,
    trouble.root,
    h('div', { class: 'actions' }, simulate),
  );
  form.addEventListener('submit', (submitted) => {
    submitted.preventDefault();
    const loan = { amount: amount.input.valueAsNumber, months: months.input.valueAsNumber };
    void running(simulate, trouble, () => instance.run('simulate', { loan }));
  });
  const update = () => {
    form.hidden = !instance.actions.get().some(({ name }) => name === 'simulate');
    result.textContent = instance.view.get().simulation?.text ?? 'As often as you like: this action is optional and repeatable.';
  };
  return { root: form, update };
}

function consentForm({ visit }: Stage): Required<Screen> {
  const instance = visit.onboarding!;
  const trouble = new Trouble();
  const box = h('input', { type: 'checkbox', id: 'consent', 'data-testid': 'consent', 'aria-describedby': 'consent-error' });
  const label = h('label', { for: 'consent' }, 'I have read the contract and agree to it.');
  const error = h('p', { id: 'consent-error', class: 'error', hidden: true, 'data-testid': 'error-consent' });
  const confirm = h(
    'button',
    { class: 'button primary', type: 'submit', 'data-testid': 'action-confirm' },
    'Confirm and open account',
  );
  const complain = (fields: Record<string, FieldError>) => {
    error.textContent = fields.consent ? 'Please agree to the contract to open the account.' : '';
    error.hidden = fields.consent === undefined;
    box.setAttribute('aria-invalid', String(!error.hidden));
    return !error.hidden;
  };
  const form = h('form', { novalidate: true });
  form.append(
    h('div', { class: 'field' }, h('div', { class: 'check' }, box, label), error),
    trouble.root,
    h('div', { class: 'actions' }, confirm),
  );
  form.addEventListener('submit', (submitted) => {
    submitted.preventDefault();
    // An unticked box sends nothing, so that the process itself reports that consent is required.
    void running(confirm, trouble, () => instance.run('confirm', box.checked ? { consent: true } : {}), complain);
  });
  const update = () => {
    form.hidden = !instance.actions.get().some(({ name, back }) => name === 'confirm' && !back);
  };
  return { root: form, update };
}
