/** The playground (templates/admin_playground.hbs). */
import { byId } from './dom.js';
import { Playground } from './playground/page.js';

new Playground(byId('playground').dataset);
