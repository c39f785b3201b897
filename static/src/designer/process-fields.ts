/** The fields of a process: how clients start it, when it expires, which webhooks are called at its end. */
import { h } from '../dom.js';
import type { Editing } from './action-editor.js';
import { attribute, documentation, drawing, flagged, idField, nameField } from './attributes.js';
import { durationInWords, isDuration, isPath, isRequired, isWholeNumber } from './checks.js';
import { timeInWords } from './time-words.js';
import { nextTimes } from './try-out.js';
import type { Moddle } from './types.js';

export function processFields(editing: Editing, process: Moddle): HTMLElement[] {
  const { model, element, redraw } = editing;
  const field = (name: string, part: Parameters<typeof attribute>[3]) => attribute(editing, process, name, part);
  const keys = listText(process.get<string | undefined>('stepwire:searchKeys'));
  const search = drawing(editing)({
    kind: 'text',
    name: 'searchKeys',
    label: 'Search keys',
    value: keys,
    placeholder: 'client.email, order.id',
    hint: 'Paths by whose values instances are found.',
    check: (text) => words(text).map(isPath).find(Boolean),
    commit: (text) =>
      model.set(element, process, { 'stepwire:searchKeys': words(text).length > 0 ? JSON.stringify(words(text)) : undefined }),
  });
  const executable = drawing(editing)({
    kind: 'flag',
    name: 'isExecutable',
    label: 'Executable',
    hint: 'Only executable processes are deployed.',
    value: process.get<boolean | undefined>('isExecutable') === true,
    commit: (is) => {
      model.change(element, { moddle: process, properties: { isExecutable: is } });
      redraw();
    },
  });
  const expiry = field('expiry', {
    label: 'Expiry',
    placeholder: 'P30D',
    hint: 'An ISO 8601 duration after its start, or a cron expression: then a live instance expires.',
    reading: timeInWords,
  });
  const expires = (text: string) => ({ when: { [/^[Pp]/.test(text.trim()) ? 'duration' : 'cycle']: text } });
  if (editing.mayEdit) nextTimes(expiry, expires);
  return [
    nameField(editing, process),
    idField(editing, process, 'Id', 'The id by which clients start the process.'),
    documentation(editing, process),
    executable,
    flagged(editing, process, 'anonymousStart', 'Anonymous start', 'Clients without a token may start it.'),
    expiry,
    field('actionMessageExpiry', {
      label: 'Action message expiry',
      placeholder: 'PT15M',
      hint: 'How long an Action message stays open.',
      check: isDuration,
      reading: durationInWords,
    }),
    field('alias', { label: 'Alias', hint: 'A number for clients that number workflows.', check: isWholeNumber }),
    search,
    webhooks(editing, process),
  ];
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

function listText(json: string | undefined): string {
  try {
    const value: unknown = JSON.parse(json ?? '[]');
    return Array.isArray(value) ? value.join(', ') : (json ?? '');
  } catch {
    return json ?? '';
  }
}

function webhooks(editing: Editing, process: Moddle): HTMLElement {
  const { model, element, redraw } = editing;
  const hooks = model.extensions(process, 'stepwire:Webhook');
  const replace = (wanted: Moddle[]) => {
    model.setExtensions(element, process, 'stepwire:Webhook', wanted);
    redraw();
  };
  const draw = drawing(editing);
  const rows = hooks.map((hook, index) => {
    const name = (part: string) => `webhook/${index}/${part}`;
    const text = (part: string) => hook.get<string | undefined>(part) ?? '';
    const set = (part: string) => (value: string) => model.set(element, hook, { [part]: value });
    return h(
      'fieldset',
      { class: 'key' },
      h('legend', { class: 'visually-hidden' }, `Webhook ${index + 1}`),
      draw({
        kind: 'text',
        name: name('url'),
        label: 'URL',
        value: text('url'),
        placeholder: 'https://example.org/ended',
        check: isRequired,
        commit: set('url'),
      }),
      draw({
        kind: 'text',
        name: name('on'),
        label: 'On',
        value: text('on'),
        placeholder: 'finished failed',
        hint: 'Statuses, separated by blanks; without them every end.',
        commit: set('on'),
      }),
      draw({
        kind: 'select',
        name: name('include'),
        label: 'Include',
        value: text('include'),
        options: [
          ['', 'Nothing'],
          ['data', 'Data'],
        ],
        commit: set('include'),
      }),
      h(
        'button',
        {
          type: 'button',
          class: 'button quiet compact',
          'data-focus': name('remove'),
          'aria-label': `Remove webhook ${index + 1}`,
          onclick: () => replace(hooks.filter((one) => one !== hook)),
        },
        'Remove',
      ),
    );
  });
  const add = () => replace([...hooks, model.create('stepwire:Webhook', { url: '' })]);
  const button = h(
    'button',
    { type: 'button', class: 'button compact', 'data-focus': 'webhook/add', onclick: add },
    'Add a webhook',
  );
  return h(
    'fieldset',
    { class: 'group' },
    h('legend', {}, 'Webhooks'),
    h('p', { class: 'hint' }, 'The address that is notified when an instance has ended.'),
    ...rows,
    button,
  );
}
