import type { Client, ConnectionStatus } from '@stepwire/client';

const WORDS: Record<ConnectionStatus, string> = {
  connecting: 'Connecting…',
  live: 'Live',
  reconnecting: 'Reconnecting…',
  lost: 'Connection lost',
  offline: 'Offline',
  signedOut: 'Signed out',
  closed: 'Disconnected',
};

/** The address of the sign-in, which leads back to this page. */
export function signInUrl(): string {
  return `/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`;
}

/** Shows in `element` the state of the connection. */
export function showConnection(element: HTMLElement, client: Pick<Client, 'status'>): void {
  const show = (status: ConnectionStatus) => {
    element.dataset.status = status;
    element.textContent = WORDS[status];
  };
  show(client.status.get());
  client.status.subscribe(show);
}
