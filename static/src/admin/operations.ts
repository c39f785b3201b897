/**
 * The pages of operators (templates/admin_operations.hbs): each is a query to the HTTP interface, loaded in parts and repeated when
 * the server reports that its result has changed.
 */
import { connect } from '@stepwire/client';
import type { Topic } from '@stepwire/client/lists';
import { showSession } from './session.js';
import { h, redraw } from '../dom.js';
import { audit } from './audit.js';
import { dashboard } from './dashboard.js';
import { connections } from './connections.js';
import { incidents } from './incidents.js';
import { schedules, timers, users } from './rest-lists.js';
import { Looker } from './refresh.js';
import { settings } from './settings.js';
import { ticketUrl } from './rest.js';
import { complain } from './trouble.js';

/** A page: the topics that change it, and how it is drawn. */
export interface OperationsPage {
  topics: readonly Topic[];
  draw(look: () => Promise<void>): Promise<HTMLElement[]>;
}

const PAGES: Record<string, () => OperationsPage> = { dashboard, incidents, schedules, timers, users, connections, audit, settings };

export function openOperations(root: HTMLElement): void {
  const client = connect({ url: ticketUrl, client: 'admin/1' });
  showSession(client);
  const page = PAGES[root.dataset.page ?? '']?.();
  if (!page) return;
  const look = async (): Promise<void> => {
    try {
      redraw(root, ...(await page.draw(look)));
      if (root.childElementCount === 0) root.append(h('p', { class: 'empty' }, 'Nothing.'));
    } catch (error) {
      complain(error as Error);
    }
  };
  const looker = new Looker(look);
  looker.follow(client, page.topics);
  void look();
}
