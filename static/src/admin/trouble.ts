import { byId, h } from '../dom.js';

/** Shows an error at the place of the page for errors; without one the place is empty. */
export function complain(error: Error | undefined): void {
  byId('trouble').replaceChildren(...(error ? [h('p', { class: 'note bad' }, error.message)] : []));
}

/** Waits for a command; if the server refuses it, its message is shown where the user is looking. */
export function run(work: Promise<unknown>): void {
  complain(undefined);
  work.catch((error: Error) => {
    complain(error);
    byId('trouble').scrollIntoView({ block: 'nearest' });
  });
}
