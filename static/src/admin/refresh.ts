/**
 * Keeps the content of a page up to date: the server reports that lists have changed (channel `changes`), and the page queries them
 * again. The query itself, with filters, paging and access rights, is answered by the server.
 */
import type { Client } from '@stepwire/client';
import { changes, type Topic } from '@stepwire/client/lists';
import { byId, redraw } from '../dom.js';

/** A busy server reports changes all the time; one query in this many milliseconds is enough for a person. */
const PAUSE_MS = 1_000;

/** Repeats a query after changes: not too often, and not at all while the page is hidden. */
export class Looker {
  private waiting = false;
  private wanted = false;

  constructor(readonly look: () => Promise<void>) {
    document.addEventListener('visibilitychange', () => this.wanted && this.news());
  }

  /** Schedules the next query. */
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
    // A server that is unreachable reports changes when it is back.
    this.look().then(pause, pause);
  }

  /** Queries whenever lists of these topics have changed, and after each gap in the connection. */
  follow(client: Client, topics: readonly Topic[]): void {
    changes(client, (changed) => {
      if (!changed || changed.some((topic) => topics.includes(topic))) this.news();
    });
  }
}

/** Parts of a page that the server renders: the page's own address is fetched again, and the parts with these ids are replaced. */
export function pageParts(ids: readonly string[], after: () => void = () => undefined): Looker {
  return new Looker(async () => {
    const response = await fetch(location.href, { credentials: 'same-origin', headers: { accept: 'text/html' } });
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    for (const id of ids) {
      const part = page.getElementById(id);
      if (part) redraw(byId(id), ...part.childNodes);
    }
    after();
  });
}
