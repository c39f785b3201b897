/**
 * The list of instances (templates/admin_instances.hbs), kept live by the channel `changes`, with commands to all that match its
 * filter.
 */
import { connect } from '@stepwire/client';
import { offerBulk } from './admin/bulk.js';
import { pageParts } from './admin/refresh.js';
import { ticketUrl } from './admin/rest.js';
import { showSession } from './admin/session.js';
import { byId } from './dom.js';

const client = connect({ url: ticketUrl, client: 'admin/1' });
showSession(client);
pageParts(['instances', 'total', 'pages']).follow(client, ['instances', 'tasks']);
offerBulk(byId('bulk'));
