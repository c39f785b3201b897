import { h } from '../dom.js';

export interface Tool {
  /** Tests find it by this name, too. */
  name: string;
  label: string;
  /** Its name, where the label is a sign. */
  says?: string;
  look?: 'primary';
  keys?: string;
  run: () => unknown;
}

/** The commands of the designer as buttons. */
export class Toolbar {
  private readonly buttons = new Map<string, HTMLButtonElement>();

  /** `failed` is told what went wrong with which command. */
  constructor(root: HTMLElement, tools: readonly Tool[], failed: (error: Error, label: string) => void) {
    for (const { name, label, says, look, keys, run } of tools) {
      const attributes = { type: 'button', class: ['button', 'compact', look, says && 'sign'].filter(Boolean).join(' '), 'data-testid': name };
      const title = keys ? `${label} (${keys})` : says;
      const button = h('button', { ...attributes, title, 'aria-label': says }, label);
      button.addEventListener('click', () => {
        const work = run();
        if (work instanceof Promise) this.busy(button, work).catch((error: Error) => failed(error, label));
      });
      this.buttons.set(name, button);
    }
    root.replaceChildren(...this.buttons.values());
  }

  enable(name: string, is: boolean): void {
    const button = this.buttons.get(name);
    if (!button) return;
    // A disabled button would lose the focus, and the keyboard user's position.
    button.setAttribute('aria-disabled', String(!is));
    button.classList.toggle('off', !is);
  }

  private busy(button: HTMLButtonElement, work: Promise<unknown>): Promise<unknown> {
    button.setAttribute('aria-busy', 'true');
    return work.finally(() => button.removeAttribute('aria-busy'));
  }
}
