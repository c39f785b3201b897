import { h } from '../dom.js';
import { time } from './elements-table.js';

/** The times of a user task in frames and lists. */
export interface Due {
  dueAt?: string | null;
  remindedAt?: string | null;
}

/** The sort key by due date: tasks without one come last. */
export const dueTime = ({ dueAt }: Due): number => (dueAt ? Date.parse(dueAt) : Infinity);

/** Whether a task is overdue. */
export const isOverdue = (task: Due): boolean => dueTime(task) <= Date.now();

/** When a task is due, whether it is overdue, and when it last sent a reminder; empty without a due date. */
export function dueNotes(task: Due): (Node | string)[] {
  const { dueAt, remindedAt } = task;
  if (!dueAt) return [];
  const notes: (Node | string)[] = [time(dueAt)];
  if (isOverdue(task)) notes.push(' ', h('span', { class: 'badge', 'data-status': 'overdue' }, 'overdue'));
  if (remindedAt) notes.push(' ', h('span', { class: 'badge', 'data-status': 'reminded' }, 'reminded'), ' ', time(remindedAt));
  return notes;
}
