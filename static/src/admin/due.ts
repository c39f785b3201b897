import { h } from '../dom.js';
import { time } from './elements-table.js';

/** What frames and lists say of a user task's times. */
export interface Due {
  dueAt?: string | null;
  remindedAt?: string | null;
}

/** When a task is due, by which it is listed: those without a due date come last. */
export const dueTime = ({ dueAt }: Due): number => (dueAt ? Date.parse(dueAt) : Infinity);

/** Whether its time is over. */
export const isOverdue = (task: Due): boolean => dueTime(task) <= Date.now();

/** When a task is due, whether it is overdue, and when it reminded last; nothing without a due date. */
export function dueNotes(task: Due): (Node | string)[] {
  const { dueAt, remindedAt } = task;
  if (!dueAt) return [];
  const notes: (Node | string)[] = [time(dueAt)];
  if (isOverdue(task)) notes.push(' ', h('span', { class: 'badge', 'data-status': 'overdue' }, 'overdue'));
  if (remindedAt) notes.push(' ', h('span', { class: 'badge', 'data-status': 'reminded' }, 'reminded'), ' ', time(remindedAt));
  return notes;
}
