import { StepwireError } from '@stepwire/client';

/** Gets JSON from this server, or `undefined` if it answers with an error: the page then omits that part. */
export async function getJson<T>(path: string): Promise<T | undefined> {
  const response = await fetch(path, { headers: { accept: 'application/json' }, credentials: 'same-origin' });
  return response.ok ? ((await response.json()) as T) : undefined;
}

/** A websocket address with a one-time ticket: the pages sign in by cookie, which the websocket does not accept. */
export async function ticketUrl(): Promise<string> {
  const response = await fetch('/v1/tickets', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json' },
    body: '{"for":"ws"}',
  });
  if (response.status === 401 || response.status === 403) {
    throw new StepwireError({ code: 'unauthenticated', message: 'expected a signed-in user, but you are signed out' });
  }
  if (!response.ok) throw new Error(`expected a ticket, but the server answered ${response.status}`);
  const { ticket } = (await response.json()) as { ticket: string };
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${location.host}/v1/ws?ticket=${encodeURIComponent(ticket)}`;
}

/** Posts JSON; rejects with the server's message when it refuses. */
export async function post(path: string, body: unknown, method = 'POST'): Promise<void> {
  await answered(path, body, method);
}

/** Posts a query and resolves to the JSON answer; rejects like {@link post}. */
export async function ask<T>(path: string, question: unknown): Promise<T> {
  return (await (await answered(path, question, 'POST')).json()) as T;
}

async function answered(path: string, body: unknown, method: string): Promise<Response> {
  const response = await fetch(path, {
    method,
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (response.ok) return response;
  const { detail } = (await response.json().catch(() => ({}))) as { detail?: string };
  throw new Error(detail ?? `expected the server to do it, but it answered ${response.status}`);
}
