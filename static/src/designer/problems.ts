/**
 * The problems panel: the server's check of the current model. Each problem links to its element and the field that it concerns.
 */
import { check, type Problem, Refused } from '../admin/definitions.js';
import { problemList } from '../admin/problem-list.js';
import { h } from '../dom.js';
import { reasonOf } from './notes.js';
import type { Panel } from './panel.js';
import type { Canvas } from './types.js';
import type { Model } from './model.js';

const AGAIN_MS = 3_000;
/** Fields by problem code; others are found by the words of the message. */
const FIELDS: Record<string, readonly string[]> = {
  invalid_timer: ['timer', 'timeCycle', 'timeDate', 'timeDuration', 'when'],
  order_tie: ['order'],
  duplicate_action: ['name'],
  invalid_name: ['name'],
  reserved_name: ['name'],
  optional_automatic: ['required'],
  misplaced_allow_back: ['allowBack'],
  misplaced_restart: ['restartFromSnapshot', 'allowBack'],
  misplaced_holds_token: ['holdsToken', 'timer'],
  unknown_parent: ['parent'],
  nested_parent: ['parent'],
  unsupported_action_type: ['type'],
  message_not_object: ['message'],
  no_default_flow: ['default'],
  misplaced_default: ['default'],
  missing_condition: ['condition'],
  default_with_condition: ['condition'],
  unsupported_expression: ['condition', 'completionCondition', 'loopCondition', 'messageName', 'signalName'],
  unsupported_condition: ['condition', 'completionCondition', 'loopCondition'],
  invalid_condition: ['condition', 'completionCondition', 'loopCondition'],
  invalid_script: ['script'],
  missing_called_element: ['calledElement'],
  invalid_schedule: ['timeCycle', 'timeDate', 'timeDuration', 'when'],
  invalid_start_data: ['startData'],
  unknown_error: ['errorCode', 'error'],
  unknown_message: ['message', 'messageName'],
  unknown_signal: ['signal', 'signalName'],
  nothing_sent: ['message', 'signal'],
  invalid_message_name: ['messageName', 'signalName'],
  duplicate_message: ['messageName'],
  invalid_duration: ['timeToLive'],
  missing_attribute: ['linkName', 'message', 'signal'],
  unknown_activity: ['activityRef'],
  invalid_quantity: ['startQuantity', 'completionQuantity'],
  several_event_definitions: ['parallelMultiple', 'addDefinition'],
  too_many_event_definitions: ['addDefinition'],
  invalid_escalation_code: ['escalationCode'],
  invalid_loop: ['loop', 'collection', 'loopCardinality', 'loopCondition', 'loopMaximum'],
  invalid_default: ['default'],
  invalid_error_code: ['errorCode'],
  alias_taken: ['alias'],
  invalid_action_message_expiry: ['actionMessageExpiry'],
};
/** Names of fields in messages. */
const WORDS =
  /\b(message|destination|script|timer|order|trigger|required|type|parent|target|messageType|process|paramsToCopy|withoutParams|businessKey|outputKey|output|url|headers|body|timeout|retries|backoff|success|maxBytes|types|restartKey|key|assignee|dueDate|reminderRepeat|reminder|decisionKey|collection|item|loopCardinality|completionCondition|loopCondition|loopMaximum|correlationKey|timeToLive|messageRef|signalRef|escalationRef|activityRef|candidateGroups|data|input|source|calledElement|condition|expiry|searchKeys|alias|startCondition|startQuantity|completionQuantity|parallelMultiple|behavior|timeZone|missed|overlap|errorRef|id)\b/g;
const ALIASES: Record<string, readonly string[]> = { restartKey: ['restartKeys'], key: ['keys'], errorRef: ['errorCode', 'error'],
  escalationRef: ['escalationCode', 'escalation'],
  messageRef: ['messageName', 'message'],
  signalRef: ['signalName', 'signal'],
  output: ['output', 'outputs/0/source'],
  input: ['inputs/0/source'],
  source: ['inputs/0/source', 'outputs/0/source'],
};

/** Names of fields in messages that consist of several words. */
const PHRASES: [RegExp, readonly string[]][] = [
  [/time to live/, ['timeToLive']],
  [/correlation key/, ['correlationKey']],
  [/completion condition/, ['completionCondition']],
  [/loop condition/, ['loopCondition']],
  [/cardinality/, ['loopCardinality']],
  [/candidate groups?/, ['candidateGroups']],
  [/the data of the (message|signal)/, ['data']],
];

export class Problems {
  private timer = 0;
  private running: AbortController | undefined;
  private marked: string[] = [];
  problems: readonly Problem[] = [];

  constructor(
    private readonly root: HTMLElement,
    private readonly model: Model,
    private readonly panel: Panel,
    private readonly xml: () => Promise<string>,
  ) {
    this.say('Checking…');
  }

  /** Checks after a pause. */
  later(pause: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.now(), pause);
  }

  /** Checks immediately; gives nothing if the check did not run. */
  async now(): Promise<readonly Problem[] | undefined> {
    clearTimeout(this.timer);
    this.running?.abort();
    const running = (this.running = new AbortController());
    try {
      const found = await check(await this.xml(), 'bpmn', running.signal);
      if (running === this.running) this.show(found);
    } catch (error) {
      if (running.signal.aborted || running !== this.running) return this.problems;
      const { status } = error as Refused;
      this.say(`The check did not run: ${reasonOf(error as Error)}`);
      if (status === 0 || status === 503 || status === 429) this.later(AGAIN_MS);
      return undefined;
    }
    return this.problems;
  }

  /** Shows the problems found by a deploy or a check. */
  show(problems: readonly Problem[]): void {
    this.problems = problems;
    const errors = problems.filter(({ severity }) => severity === 'error').length;
    const warnings = problems.length - errors;
    const count = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`;
    this.mark();
    if (problems.length === 0) return this.say('No problems: this can be published.', 'good');
    this.draw(
      `${count(errors, 'error')}, ${count(warnings, 'warning')}`,
      problemList(problems, (problem) => this.jump(problem)),
    );
  }

  private say(sentence: string, look = 'muted'): void {
    this.draw(sentence, undefined, look);
  }

  private draw(title: string, list?: HTMLElement, look = ''): void {
    const head = h('h2', {}, 'Problems');
    const summary = h('p', { class: `small ${look}`, role: 'status', 'data-testid': 'problem-count' }, title);
    this.root.replaceChildren(h('header', {}, head, summary), ...(list ? [list] : []));
  }

  /** Marks elements with problems on the canvas. */
  private mark(): void {
    const canvas = this.model.service<Canvas>('canvas');
    const known = (id: string) => this.model.registry.get(id) !== undefined;
    this.marked.filter(known).forEach((id) => ['has-error', 'has-warning'].forEach((marker) => canvas.removeMarker(id, marker)));
    this.marked = [];
    for (const { element, severity } of this.problems) {
      if (!element || !known(element)) continue;
      canvas.addMarker(element, severity === 'error' ? 'has-error' : 'has-warning');
      this.marked.push(element);
    }
  }

  private jump({ element, code, message }: Problem): void {
    if (!this.panel.show(element || this.model.processes()[0]?.id || '')) return;
    const action =
      /^actions? `([^`]+)`/.exec(message)?.[1] ??
      /\baction `([^`]+)`/.exec(message)?.[1] ??
      /\bactions `[^`]+` and `([^`]+)`/.exec(message)?.[1];
    const sentence = message.replace(/^action `[^`]*`:\s*/, '');
    const words = [...sentence.matchAll(WORDS)].flatMap(([word]) => ALIASES[word] ?? [word]);
    const phrases = PHRASES.flatMap(([phrase, fields]) => (phrase.test(sentence) ? fields : []));
    const quoted = [...sentence.matchAll(/`([^`]+)`/g)].map(([, text]) => text!);
    this.panel.focus([...mappingIn(sentence), ...(FIELDS[code] ?? []), ...phrases, ...words], action, quoted);
  }
}

/** The field of a mapping that a message names, by its target. */
function mappingIn(sentence: string): string[] {
  const [, kind, target = '', part = 'source'] = /\b(input|output) mapping to `([^`]*)`(?:, (target|source))?/.exec(sentence) ?? [];
  if (!kind) return [];
  const targets = document.querySelectorAll<HTMLInputElement>(`[data-field^="${kind}s/"][data-field$="/target"]`);
  const index = Math.max(
    0,
    [...targets].findIndex(({ value }) => value === target),
  );
  return [`${kind}s/${index}/${part}`];
}
