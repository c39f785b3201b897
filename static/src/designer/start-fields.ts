/** The fields of a start event: its condition, its schedule, and the data that a start may contain. */
import { h } from '../dom.js';
import type { Editing } from './action-editor.js';
import { attribute, drawing } from './attributes.js';
import { isDuration, isJsonObject, isRequired } from './checks.js';
import { definitionsOf, kindOf, removeButton, setting, settingField } from './event-definitions.js';
import { timeInWords } from './time-words.js';
import { drawKeys } from './key-editor.js';
import { nextTimes } from './try-out.js';
import type { Moddle } from './types.js';

const TIMES: [string, string][] = [
  ['timeCycle', 'Again and again'],
  ['timeDate', 'Once, at a time'],
  ['timeDuration', 'Once, after a duration'],
];

export function startFields(editing: Editing): HTMLElement[] {
  const moddle = editing.element.businessObject;
  return [
    attribute(editing, moddle, 'startCondition', {
      label: 'Start condition',
      hint: 'The name by which a start begins here, when there are several start events.',
    }),
  ];
}

/** Which of BPMN's kinds of time a timer has, and its value. */
function timeOf(timer: Moddle, absent: string): [chosen: string, value: string] {
  const chosen = TIMES.find(([name]) => timer.get(name))?.[0] ?? absent;
  return [chosen, timer.get<Moddle | undefined>(chosen)?.get<string | undefined>('body') ?? ''];
}

/** The value of a time, with its meaning in words and its next times. */
function timeField(editing: Editing, timer: Moddle, chosen: string, value: string, hint: string | undefined, timeZone: () => string): HTMLElement {
  const { model, element } = editing;
  const time = drawing(editing)({
    kind: 'text',
    name: chosen,
    label: 'Time',
    hint,
    value,
    check: (text) => (chosen === 'timeDuration' && !text.includes('${') && text.trim() ? isDuration(text) : isRequired(text)),
    reading: timeInWords,
    commit: (body) => model.change(element, { moddle: timer, properties: { [chosen]: expression(editing, body, timer) } }),
  });
  const kind = chosen.replace('time', '').toLowerCase();
  // A value filled in from data is known only at run time.
  if (editing.mayEdit)
    nextTimes(time, (text) => (text.includes('${') ? undefined : { when: { [kind]: text }, timeZone: timeZone() || undefined }));
  return time;
}

function expression({ model }: Editing, body: string, parent: Moddle): Moddle {
  return model.create('bpmn:FormalExpression', { body }, parent);
}

/** Changes a timer to this kind. */
function write(editing: Editing, timer: Moddle, kind: string, body: string): void {
  const none = { timeCycle: undefined, timeDate: undefined, timeDuration: undefined };
  editing.model.change(editing.element, { moddle: timer, properties: { ...none, [kind]: expression(editing, body, timer) } });
}

const SCHEDULED = { timeCycle: '0 9 * * 1-5', timeDate: '2030-01-01T09:00:00Z', timeDuration: 'PT1H' } as Record<string, string>;
const SCHEDULE_HINTS = {
  timeCycle: 'A cron expression such as 0 9 * * 1-5, or a repeating interval such as R/PT30M.',
  timeDate: 'A time such as 2030-01-01T09:00:00Z.',
  timeDuration: 'An ISO 8601 duration after publishing.',
} as Record<string, string>;

export function scheduleFields(editing: Editing): HTMLElement[] {
  const { model, element, redraw } = editing;
  const moddle = element.businessObject;
  const timers = definitionsOf(element).filter((one) => kindOf(one) === 'Timer');
  const [timer, ...further] = timers;
  const onStartup = ['true', '1'].includes(moddle.get<string | undefined>('stepwire:onStartup') ?? '');
  const [chosen, value] = timer ? timeOf(timer, 'timeCycle') : [onStartup ? 'startup' : '', ''];
  const choose = (kind: string) => {
    const isTimer = TIMES.some(([name]) => name === kind);
    if (timer && isTimer) {
      write(editing, timer, kind, value || SCHEDULED[kind]!);
      return redraw();
    }
    const others = moddle.get<Moddle[]>('eventDefinitions').filter((one) => !timers.includes(one));
    const properties = {
      eventDefinitions: [...others, ...(isTimer ? [newTimer(editing, kind)] : [])],
      'stepwire:onStartup': kind === 'startup' ? 'true' : undefined,
    };
    model.change(element, { moddle, properties });
    redraw();
  };
  const draw = drawing(editing);
  const drawn = [
    draw({
      kind: 'select',
      name: 'when',
      label: 'Starts by itself',
      value: chosen,
      options: [['', 'No: a client starts it'], ...TIMES, ['startup', 'Whenever the server starts']],
      commit: choose,
    }),
  ];
  const timeZone = () => moddle.get<string | undefined>('stepwire:timeZone') ?? '';
  if (timer) drawn.push(timeField(editing, timer, chosen, value, SCHEDULE_HINTS[chosen], timeZone), ...furtherTimes(editing, further, timeZone));
  if (chosen === '') return drawn;
  const word = (name: string, label: string, options: [string, string][]) =>
    draw({
      kind: 'select',
      name,
      label,
      value: moddle.get<string | undefined>(`stepwire:${name}`) ?? options[0]![0],
      options,
      commit: (text) => model.set(element, moddle, { [`stepwire:${name}`]: text }),
    });
  if (timer)
    drawn.push(
      attribute(editing, moddle, 'timeZone', {
        label: 'Time zone',
        placeholder: 'Europe/Berlin',
        hint: 'An IANA name; by default UTC.',
      }),
    );
  drawn.push(
    word('missed', 'Missed times', [
      ['once', 'Start once for all of them'],
      ['skip', 'Skip them'],
      ['all', 'Start for each'],
    ]),
    word('overlap', 'While one still runs', [
      ['allow', 'Start another'],
      ['skip', 'Skip this time'],
    ]),
    startData(editing),
  );
  return drawn;
}

function newTimer(editing: Editing, kind: string): Moddle {
  const timer = editing.model.create('bpmn:TimerEventDefinition', {}, editing.element.businessObject);
  timer.set(kind, expression(editing, SCHEDULED[kind]!, timer));
  return timer;
}

/** Further times at which the process starts, and a button that adds one. */
function furtherTimes(editing: Editing, further: readonly Moddle[], timeZone: () => string): HTMLElement[] {
  const { model, element, redraw } = editing;
  const moddle = element.businessObject;
  const fields = further.map((timer, index) => {
    const own = { ...editing, prefix: `time/${index + 1}/` };
    const [chosen, value] = timeOf(timer, 'timeCycle');
    const select = drawing(own)({
      kind: 'select',
      name: 'when',
      label: 'And',
      value: chosen,
      options: TIMES,
      commit: (kind) => {
        write(own, timer, kind, SCHEDULED[kind]!);
        redraw();
      },
    });
    const legend = h('legend', { class: 'visually-hidden' }, `Time ${index + 2}`);
    const time = timeField(own, timer, chosen, value, SCHEDULE_HINTS[chosen], timeZone);
    return h('fieldset', { class: 'key' }, legend, select, time, removeButton(own, timer, `time ${index + 2}`));
  });
  const add = () => {
    const eventDefinitions = [...moddle.get<Moddle[]>('eventDefinitions'), newTimer(editing, 'timeCycle')];
    model.change(element, { moddle, properties: { eventDefinitions } });
    redraw();
  };
  const button = h('button', { type: 'button', class: 'button compact', 'data-focus': 'time/add', onclick: add }, 'Add another time');
  return [...fields, button];
}

/** The time for which an event waits. */
export function timerFields(editing: Editing, timer: Moddle): HTMLElement[] {
  const [chosen, value] = timeOf(timer, 'timeDuration');
  const timeZone = () => setting(editing, timer, 'timeZone').value;
  return [
    drawing(editing)({
      kind: 'select',
      name: 'when',
      label: 'Comes',
      value: chosen,
      options: TIMES,
      commit: (kind) => {
        write(editing, timer, kind, { ...SCHEDULED, timeCycle: 'R3/PT1H' }[kind] ?? '');
        editing.redraw();
      },
    }),
    timeField(editing, timer, chosen, value, 'Counted from the arrival of the token; ${…} stands for a value of the data.', timeZone),
    settingField(editing, timer, 'timeZone', {
      label: 'Time zone',
      placeholder: 'Europe/Berlin',
      hint: 'An IANA name; by default UTC.',
    }),
  ];
}

function startData(editing: Editing): HTMLElement {
  const { model, element } = editing;
  const moddle = element.businessObject;
  const [data] = model.extensions(moddle, 'stepwire:StartData');
  const commit = (body: string) =>
    model.setExtensions(element, moddle, 'stepwire:StartData', body.trim() ? [model.create('stepwire:StartData', { body })] : []);
  return drawing(editing)({
    kind: 'template',
    name: 'startData',
    label: 'Data it starts with',
    value: data?.get<string>('body') ?? '',
    placeholder: '{"source": "nightly"}',
    check: isJsonObject,
    commit,
  });
}

export function startKeys(editing: Editing): HTMLElement {
  const { model, element, pending, paths, redraw } = editing;
  const moddle = element.businessObject;
  const keys = model.extensions(moddle, 'stepwire:Key');
  const replace = (wanted: Moddle[], to?: string) => {
    model.setExtensions(element, moddle, 'stepwire:Key', wanted);
    redraw(to);
  };
  const hint = h('p', { class: 'hint' }, 'The data that a start may send; without keys it may send everything.');
  return h('div', { class: 'stack' }, hint, drawKeys({ model, element, keys, name: 'keys', pending, paths, replace, redraw }));
}
