import { type FieldError, StepwireError } from '@stepwire/client';
import { h } from '../dom.js';
import { icon } from '../icons.js';

/** The place of a screen for errors other than those of fields. */
export class Trouble {
  readonly root = h('div', { role: 'alert', 'data-testid': 'form-error' });

  show(message: string | undefined): void {
    this.root.replaceChildren(...(message ? [h('p', { class: 'note bad' }, icon('alert'), h('span', {}, message))] : []));
  }
}

/** While `work` is in progress the button is busy; a refusal goes to `refused` by field and to `trouble` in words. */
export async function running(
  button: HTMLButtonElement,
  trouble: Trouble,
  work: () => Promise<unknown>,
  refused: (fields: Record<string, FieldError>) => boolean = () => false,
): Promise<void> {
  button.disabled = true;
  button.setAttribute('aria-busy', 'true');
  trouble.show(undefined);
  refused({});
  try {
    await work();
  } catch (error) {
    if (!(error instanceof StepwireError)) throw error;
    const shown = refused(error.fields);
    const hint = error.retryable ? ' Please try again.' : '';
    trouble.show(shown ? undefined : asSentence(error.message) + hint);
  } finally {
    button.disabled = false;
    button.removeAttribute('aria-busy');
  }
}

/** The server's message with a capital letter and a full stop. */
function asSentence(words: string): string {
  return words && `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? '' : '.'}`;
}
