// Styles of what is loaded later: a part that is, brings none.
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import { openOperations } from './admin/operations.js';
import { byId } from './dom.js';

openOperations(byId('operations'));
