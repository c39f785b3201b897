/** The designer (templates/admin_designer.hbs). */
import './css/designer.css';
import { Designer } from './designer/app.js';
import { byId } from './dom.js';

new Designer(byId('designer'));
