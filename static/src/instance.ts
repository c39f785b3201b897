/** The page of one instance (templates/admin_instance.hbs). */
import { InstancePage } from './admin/instance-page.js';
import { byId } from './dom.js';

new InstancePage(byId('instance').dataset);
