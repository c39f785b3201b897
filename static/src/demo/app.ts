import { batched, byId, h } from '../dom.js';
import { icon } from '../icons.js';
import { showConnection } from '../connection-badge.js';
import { cardScreen, orderedScreen } from './card-screen.js';
import { detailsScreen } from './details-screen.js';
import { doneScreen, lostScreen, rejectedScreen, waitingScreen, welcomeScreen } from './plain-screens.js';
import { reviewScreen } from './review-screen.js';
import type { Screen, Stage } from './screen.js';
import { type Progress, steps, type StepName } from './steps.js';
import { themePicker } from './theme.js';
import { addressed, Visit } from './visit.js';
import { Wire } from './wire.js';

type Place =
  | 'welcome'
  | 'loading'
  | 'lost'
  | 'details'
  | 'edit'
  | 'checking'
  | 'review'
  | 'done'
  | 'rejected'
  | 'card'
  | 'ordered';

const SCREENS: Record<Place, (stage: Stage) => Screen> = {
  welcome: welcomeScreen,
  loading: () => waitingScreen('One moment', 'Asking the server where you were…', 'loading'),
  lost: lostScreen,
  details: (stage) => detailsScreen(stage, false),
  edit: (stage) => detailsScreen(stage, true),
  checking: () => waitingScreen('Checking your credit', 'A child process is at work. The result is pushed here.', 'checking'),
  review: reviewScreen,
  done: doneScreen,
  rejected: rejectedScreen,
  card: cardScreen,
  ordered: orderedScreen,
};

const STEP_OF: Partial<Record<Place, StepName>> = {
  details: 'details',
  edit: 'details',
  checking: 'check',
  rejected: 'check',
  review: 'review',
  done: 'card',
  card: 'card',
  ordered: 'card',
};

/** The demo page: chooses the screen from view and actions, and keeps steps, tools and address consistent with it. */
export class App implements Stage {
  readonly visit: Visit;
  private readonly wire: Wire;
  private readonly main = h('div', { class: 'demo-main' });
  private readonly progress = h('div');
  private readonly tools = h('div', { class: 'row', 'data-testid': 'tools' });
  private editing = false;
  private shown: { id: string; screen: Screen } | undefined;
  private toolsFor: string | undefined;

  constructor() {
    const layout = byId('demo');
    this.wire = new Wire((open) => layout.classList.toggle('wide', !open));
    this.visit = new Visit(
      (direction, frame) => this.wire.add(direction, frame),
      batched(() => this.render()),
    );
    layout.append(this.main, this.wire.root);
    byId('theme').append(themePicker());
    showConnection(byId('connection'), this.visit.client);
    // Another address (pasted, or "back") is a different visit.
    window.addEventListener('hashchange', () => location.reload());
    this.render();
  }

  edit(on: boolean): void {
    this.editing = on;
    this.render();
  }

  startOver(): void {
    history.replaceState(null, '', location.pathname);
    location.reload();
  }

  private render(): void {
    const place = this.place();
    // A new visit of a task creates a new form; within one, the form and its input are kept.
    const element = place === 'edit' ? '' : (this.visit.onboarding?.nodes.get()[0]?.element ?? '');
    const id = `${place}/${place === 'details' || place === 'review' ? element : ''}`;
    this.showProgress(place);
    this.showTools();
    if (this.shown?.id === id) return this.shown.screen.update?.();
    const first = this.shown === undefined;
    this.shown = { id, screen: SCREENS[place](this.stage()) };
    this.main.replaceChildren(this.progress, this.shown.screen.root, this.tools);
    if (!first) this.shown.screen.root.querySelector('h1')?.focus({ preventScroll: true });
    document.title = `${this.shown.screen.root.querySelector('h1')?.textContent ?? ''} · Harbour demo`;
  }

  private stage(): Stage {
    return { visit: this.visit, edit: (on) => this.edit(on), startOver: () => this.startOver() };
  }

  private place(): Place {
    const { onboarding, card } = this.visit;
    const cardForm = card?.view.get().form;
    if (cardForm) return cardForm;
    if (!onboarding) return 'welcome';
    if (onboarding.error.get()?.code && onboarding.status.get() === undefined) return 'lost';
    if (onboarding.status.get() === undefined) return 'loading';
    const offers = (name: string, back: boolean) =>
      onboarding.actions.get().some((action) => action.name === name && action.back === back);
    if (this.editing && offers('save', true)) return 'edit';
    if (offers('save', false)) return 'details';
    if (offers('confirm', false)) return 'review';
    const { form } = onboarding.view.get();
    if (form === 'done' || form === 'rejected') return form;
    return onboarding.status.get() === 'started' ? 'checking' : 'rejected';
  }

  private showProgress(place: Place): void {
    const now = STEP_OF[place];
    const progress: Progress = { now, finished: place === 'ordered', failed: place === 'rejected' };
    this.progress.hidden = !now;
    this.progress.replaceChildren(...(now ? [steps(progress)] : []));
  }

  private showTools(): void {
    const { key } = addressed();
    if (this.toolsFor === location.hash) return;
    this.toolsFor = location.hash;
    if (!key) return this.tools.replaceChildren();
    const tab = h('a', { class: 'button quiet compact', href: location.href, target: '_blank', 'data-testid': 'second-tab' });
    tab.append(icon('tabs', 18), 'Open a second tab');
    const over = h('button', {
      class: 'button quiet compact',
      type: 'button',
      'data-testid': 'start-over',
      onclick: () => this.startOver(),
    });
    over.append(icon('restart', 18), 'Start over');
    const href = `/admin/instances/${encodeURIComponent(key)}`;
    const diagram = h('a', { class: 'button quiet compact', href, target: '_blank', 'data-testid': 'live-diagram' });
    diagram.append(icon('layers', 18), 'Watch its diagram');
    const name = h('span', { class: 'muted small' }, 'Instance ', h('code', { 'data-testid': 'instance-key' }, key));
    this.tools.replaceChildren(diagram, tab, over, name);
  }
}
