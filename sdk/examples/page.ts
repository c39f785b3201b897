import { type Client, forgetStartId, startId, StepwireError } from '@stepwire/client';
import type { Processes } from './processes.js';

/** A page without a framework. A reload continues where the visitor was: the same id is the same start. */
export async function openAccount(client: Client<Processes>, page: HTMLElement): Promise<void> {
  client.status.subscribe((status) => (page.dataset.connection = status));
  try {
    const account = await client.start('onboarding', { id: startId('account'), timeout: 15_000 });
    const show = () => {
      page.textContent = JSON.stringify([account.view.get(), account.actions.get().map(({ name }) => name)]);
    };
    for (const part of [account.view, account.actions]) part.subscribe(show);
    show();
  } catch (error) {
    if (!(error instanceof StepwireError)) throw error;
    page.textContent = `That did not work (${error.code}). Please try again.`;
  }
}

/** The visitor wants another account: the next start is a new one. */
export function startOver(): void {
  forgetStartId('account');
  location.reload();
}
