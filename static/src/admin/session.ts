/** The connection of a page of the admin interface, whose commands need a signed-in user. */
import type { Client } from '@stepwire/client';
import { showConnection, signInUrl } from '../connection-badge.js';
import { byId, h } from '../dom.js';

/** Buttons that send a command to the server. */
const COMMANDS = 'button:is([data-focus], [data-command], [data-testid^="bulk-"]):not(:disabled)';

/** Shows the state of the connection. Once the user is signed out, it leads to the sign-in and back, and no command is offered. */
export function showSession(client: Pick<Client, 'status'>): void {
  const badge = byId('connection');
  showConnection(badge, client);
  client.status.subscribe((status) => {
    if (status !== 'signedOut') return;
    badge.append(' ', h('a', { href: signInUrl(), 'data-testid': 'sign-in-again' }, 'Sign in again'));
    const main = byId('main');
    const disable = () => main.querySelectorAll<HTMLButtonElement>(COMMANDS).forEach((button) => (button.disabled = true));
    // What is drawn or ends later offers none either.
    new MutationObserver(disable).observe(main, { childList: true, subtree: true, attributeFilter: ['disabled'] });
    disable();
  });
}
