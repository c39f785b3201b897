/** The fields of a start event: its condition, its schedule, and what a start may bring. */
import { h } from '../dom.js';
import type { Editing } from './action-editor.js';
import { attribute, drawing } from './attributes.js';
import { isDuration, isJsonObject, isRequired } from './checks.js';
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

export function scheduleFields(editing: Editing): HTMLElement[] {
  const { model, element, redraw } = editing;
  const moddle = element.businessObject;
  const timer = moddle
    .get<Moddle[] | undefined>('eventDefinitions')
    ?.find(({ $type }) => $type === 'bpmn:TimerEventDefinition');
  const onStartup = ['true', '1'].includes(moddle.get<string | undefined>('stepwire:onStartup') ?? '');
  const chosen = TIMES.find(([name]) => timer?.get(name))?.[0] ?? (timer ? 'timeCycle' : onStartup ? 'startup' : '');
  const value = timer?.get<Moddle | undefined>(chosen)?.get<string | undefined>('body') ?? '';
  const expression = (body: string, parent: Moddle) => model.create('bpmn:FormalExpression', { body }, parent);
  const choose = (kind: string) => {
    const others = moddle.get<Moddle[]>('eventDefinitions').filter((one) => one !== timer);
    const none = { timeCycle: undefined, timeDate: undefined, timeDuration: undefined };
    const isTimer = TIMES.some(([name]) => name === kind);
    const definition = isTimer ? model.create('bpmn:TimerEventDefinition', { ...none }, moddle) : undefined;
    if (definition)
      definition.set(
        kind,
        expression(
          value || { timeCycle: '0 9 * * 1-5', timeDate: '2030-01-01T09:00:00Z', timeDuration: 'PT1H' }[kind]!,
          definition,
        ),
      );
    model.change(element, {
      moddle,
      properties: {
        eventDefinitions: [...others, ...(definition ? [definition] : [])],
        'stepwire:onStartup': kind === 'startup' ? 'true' : undefined,
      },
    });
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
  if (timer) {
    const hint = {
      timeCycle: 'A cron expression such as 0 9 * * 1-5, or a repeating interval such as R/PT30M.',
      timeDate: 'A time such as 2030-01-01T09:00:00Z.',
      timeDuration: 'An ISO 8601 duration after publishing.',
    }[chosen];
    const commit = (body: string) => model.change(element, { moddle: timer, properties: { [chosen]: expression(body, timer) } });
    const time = draw({
      kind: 'text',
      name: chosen,
      label: 'Time',
      hint,
      value,
      check: chosen === 'timeDuration' ? isDuration : isRequired,
      reading: timeInWords,
      commit,
    });
    const timeZone = () => moddle.get<string | undefined>('stepwire:timeZone');
    const kind = chosen.replace('time', '').toLowerCase();
    if (editing.mayEdit) nextTimes(time, (text) => ({ when: { [kind]: text }, timeZone: timeZone() }));
    drawn.push(time);
  }
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
        hint: 'An IANA name; UTC without.',
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

/** The time an intermediate or boundary event waits for. */
export function timerFields(editing: Editing): HTMLElement[] {
  const { model, element, redraw } = editing;
  const moddle = element.businessObject;
  const timer = moddle
    .get<Moddle[] | undefined>('eventDefinitions')
    ?.find(({ $type }) => $type === 'bpmn:TimerEventDefinition');
  if (!timer) return [];
  const chosen = TIMES.find(([name]) => timer.get(name))?.[0] ?? 'timeDuration';
  const value = timer.get<Moddle | undefined>(chosen)?.get<string | undefined>('body') ?? '';
  const write = (kind: string, body: string) =>
    model.change(element, {
      moddle: timer,
      properties: {
        timeCycle: undefined,
        timeDate: undefined,
        timeDuration: undefined,
        [kind]: model.create('bpmn:FormalExpression', { body }, timer),
      },
    });
  const draw = drawing(editing);
  const time = draw({
    kind: 'text',
    name: chosen,
    label: 'Time',
    hint: 'Counted from when the token comes; ${…} stands for a value of the data.',
    value,
    check: (text) => (chosen === 'timeDuration' && !text.includes('${') && text.trim() ? isDuration(text) : isRequired(text)),
    reading: timeInWords,
    commit: (body) => write(chosen, body),
  });
  const timeZone = () => moddle.get<string | undefined>('stepwire:timeZone');
  const kind = chosen.replace('time', '').toLowerCase();
  // What data fill in is known only then.
  if (editing.mayEdit)
    nextTimes(time, (text) => (text.includes('${') ? undefined : { when: { [kind]: text }, timeZone: timeZone() }));
  return [
    draw({
      kind: 'select',
      name: 'when',
      label: 'Comes',
      value: chosen,
      options: TIMES,
      commit: (kind) => {
        write(kind, { timeCycle: 'R3/PT1H', timeDate: '2030-01-01T09:00:00Z', timeDuration: 'PT1H' }[kind] ?? '');
        redraw();
      },
    }),
    time,
    attribute(editing, moddle, 'timeZone', {
      label: 'Time zone',
      placeholder: 'Europe/Berlin',
      hint: 'An IANA name; UTC without.',
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
  const replace = (wanted: Moddle[]) => {
    model.setExtensions(element, moddle, 'stepwire:Key', wanted);
    redraw();
  };
  const hint = h('p', { class: 'hint' }, 'What a start may bring; without keys it may bring everything.');
  return h('div', { class: 'stack' }, hint, drawKeys({ model, element, keys, name: 'keys', pending, paths, replace, redraw }));
}
