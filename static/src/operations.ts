import { openOperations } from './admin/operations.js';
import { byId } from './dom.js';

openOperations(byId('operations'));
