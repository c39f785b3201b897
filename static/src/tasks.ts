/** The page of a user's tasks (templates/admin_tasks.hbs). */
import { TasksPage } from './admin/tasks-page.js';
import { byId } from './dom.js';

new TasksPage(byId('tasks').dataset);
