/** Input of a trial from outside: messages and signals, published by a separate user, as by other systems. */
import { h } from '../../dom.js';
import { isDuration, isJsonObject } from '../checks.js';
import type { Model } from '../model.js';
import type { Moddle } from '../types.js';

/** The publishing user: a user of the trial with the required role. */
export const OUTSIDE = 'outside';
export const OUTSIDE_ROLES: readonly string[] = ['operator'];

/** What is published. */
export interface Published {
  kind?: 'signal';
  name: string;
  correlationKey?: string;
  businessKey?: string;
  data?: Record<string, unknown>;
  ttl?: string;
}

/** How the panel draws fields, whose input it keeps. */
export interface Fields {
  input(name: string, label: string, otherwise: string, rows?: number, list?: readonly string[]): HTMLElement;
  typed(name: string, otherwise: string): string;
  say(sentence: string): void;
}

/** Names of the messages, or signals, of the document; names with placeholders are known only at run time. */
function namesOf(model: Model, kind: 'Message' | 'Signal'): string[] {
  const roots = model.definitions.get<Moddle[]>('rootElements').filter(({ $type }) => $type === `bpmn:${kind}`);
  return roots.map(({ name, id }) => name ?? id ?? '').filter(Boolean);
}

/** Fields for a message or signal; empty if the document has neither. */
export function drawPublish(model: Model, fields: Fields, publish: (what: Published) => void): HTMLElement[] {
  const [messages, signals] = [namesOf(model, 'Message'), namesOf(model, 'Signal')];
  if (messages.length + signals.length === 0) return [];
  const known = [...messages.map((name) => `message ${name}`), ...signals.map((name) => `signal ${name}`)];
  const chosen = () => (known.includes(fields.typed('published', '')) ? fields.typed('published', '') : known[0]!);
  const send = () => {
    const [kind, ...rest] = chosen().split(' ');
    const text = fields.typed('published-data', '').trim();
    const wrong = text ? isJsonObject(text) : undefined;
    if (wrong) return fields.say(`Data: ${wrong}`);
    const name = fields.typed('published-name', '').trim() || rest.join(' ');
    const key = fields.typed('published-key', '').trim();
    const businessKey = fields.typed('published-business-key', '').trim();
    const ttl = fields.typed('published-ttl', '').trim();
    const late = ttl ? isDuration(ttl) : undefined;
    if (late) return fields.say(`Time to live: ${late}`);
    publish({
      ...(kind === 'signal' ? { kind } : {}),
      name,
      ...(key && kind === 'message' ? { correlationKey: key } : {}),
      ...(businessKey ? { businessKey } : {}),
      ...(text ? { data: JSON.parse(text) as Record<string, unknown> } : {}),
      ...(ttl && kind === 'message' ? { ttl } : {}),
    });
  };
  const button = h(
    'button',
    { type: 'button', class: 'button compact', 'data-testid': 'trial-publish', 'data-focus': 'trial/publish', onclick: send },
    'Publish',
  );
  return [
    h(
      'details',
      { class: 'trial-part', 'data-open': 'publish', open: fields.typed('published-open', '') === 'true' },
      h('summary', { 'data-focus': 'trial/published' }, 'Publish a message or signal'),
      h(
        'div',
        { class: 'stack' },
        h('p', { class: 'hint' }, 'As another system would: it goes to whoever waits for it, and may start instances.'),
        fields.input('published', 'What', known[0]!, 0, known),
        fields.input('published-name', 'Another name', ''),
        fields.input('published-key', 'Correlation key of a message', ''),
        fields.input('published-business-key', 'Business key', ''),
        fields.input('published-data', 'Data', '', 2),
        fields.input('published-ttl', 'Time to live of a message', ''),
        button,
      ),
    ),
  ];
}
