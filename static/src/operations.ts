// Styles of the parts that are loaded later, as such a part cannot load its own.
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import { openOperations } from './admin/operations.js';
import { byId } from './dom.js';

openOperations(byId('operations'));
