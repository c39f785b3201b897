import { byId, h } from '../dom.js';

/** Shows what went wrong in the page's place for that; without an error the place is empty. */
export function complain(error: Error | undefined): void {
  byId('trouble').replaceChildren(...(error ? [h('p', { class: 'note bad' }, error.message)] : []));
}

/** Waits for a command; when the server refuses it, its sentence is shown where the user looks. */
export function run(work: Promise<unknown>): void {
  complain(undefined);
  work.catch((error: Error) => {
    complain(error);
    byId('trouble').scrollIntoView({ block: 'nearest' });
  });
}
