/** The start of a process in a trial: its data, with what the process declares about them. */
import { h } from '../../dom.js';
import { isJsonObject } from '../checks.js';
import type { Model } from '../model.js';
import type { Moddle } from '../types.js';
import type { Fields } from './publish-part.js';

export interface Start {
  process: string;
  data: Record<string, unknown>;
  /** The start condition, if one is given. */
  condition: string;
}

/** The fields, below which `refused` is why the last start was refused; `send` starts with what they contain. */
export function drawStart(
  model: Model,
  fields: Fields,
  processes: readonly string[],
  refused: string,
  start: (what: Start) => void,
): { content: HTMLElement[]; send: () => void } {
  const typed = fields.typed('process', '');
  const process = () => (processes.includes(fields.typed('process', '')) ? fields.typed('process', '') : processes[0]!);
  const send = () => {
    const text = fields.typed('data', '{}').trim() || '{}';
    const wrong = isJsonObject(text);
    if (wrong) return fields.say(`Start data: ${wrong}`);
    start({ process: process(), data: JSON.parse(text) as Record<string, unknown>, condition: fields.typed('condition', '').trim() });
  };
  const starts = model.elements().filter(({ type }) => type === 'bpmn:StartEvent');
  const own = starts.filter(({ businessObject }) => businessObject.$parent?.id === (processes.includes(typed) ? typed : processes[0]));
  const keys = own.flatMap(({ businessObject }) => model.extensions(businessObject, 'stepwire:Key'));
  const data = fields.input('data', 'Start data', '{}', 3);
  const input = data.querySelector('textarea')!;
  if (keys.length > 0) data.append(h('p', { class: 'hint', id: 'trial-data-hint' }, `The process takes ${keys.map(words).join(', ')}.`));
  if (refused) data.append(h('p', { class: 'error', id: 'trial-data-error', role: 'alert' }, refused));
  input.setAttribute('aria-describedby', 'trial-data-hint trial-data-error');
  input.setAttribute('aria-invalid', String(refused !== ''));
  const content = [
    ...(processes.length > 1 ? [fields.input('process', 'Process', processes[0]!, 0, processes)] : []),
    data,
    ...(starts.some(({ businessObject }) => businessObject.get('stepwire:startCondition')) ? [fields.input('condition', 'Start condition', '')] : []),
  ];
  return { content, send };
}

const words = (key: Moddle) => `${key.get<string>('path')}${key.get<string | undefined>('required') === 'true' ? ' (required)' : ''}`;

/** Why a start was refused, and what to do. */
export function whyRefused({ message, fields = {} }: Error & { fields?: Record<string, { message: string }> }): string {
  const wrong = Object.entries(fields).map(([path, { message }]) => `${path}: ${message}`);
  return `Not started: ${wrong.length > 0 ? wrong.join('; ') : message}. Correct the start data and start again.`;
}
