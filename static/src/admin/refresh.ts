/**
 * Keeps parts of a page that the server draws up to date: the page's own address is fetched again, and those parts are taken
 * over. So filters, paging and what may be seen stay the server's affair.
 */
import { byId, redraw } from '../dom.js';

/** A busy server has news all the time; one look in this many milliseconds is enough for a person. */
const PAUSE_MS = 1_000;

export class Refresher {
  private waiting = false;
  private wanted = false;

  /** `ids` name the parts; `after` is run when they were taken over. */
  constructor(
    private readonly ids: readonly string[],
    private readonly after: () => void = () => undefined,
  ) {
    document.addEventListener('visibilitychange', () => this.wanted && this.news());
  }

  /** Looks again, soon; while nobody looks at the page, it waits. */
  news(): void {
    this.wanted = true;
    if (this.waiting || document.hidden) return;
    this.waiting = true;
    this.wanted = false;
    const pause = () =>
      setTimeout(() => {
        this.waiting = false;
        if (this.wanted) this.news();
      }, PAUSE_MS);
    // A server that is not there has news when it is back.
    this.look().then(pause, pause);
  }

  /** Looks at once. */
  async look(): Promise<void> {
    const response = await fetch(location.href, { credentials: 'same-origin', headers: { accept: 'text/html' } });
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    for (const id of this.ids) {
      const part = page.getElementById(id);
      if (part) redraw(byId(id), ...part.childNodes);
    }
    this.after();
  }
}
