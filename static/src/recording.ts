/** A run as a scenario file that `stepwire test` replays; the format: docs/scenarios.md. */
import type { Instance } from '@stepwire/client';

type Step = Record<string, unknown>;

/** A file of the scenario: a process of the draft, or a published one that it starts or calls. */
export interface ScenarioFile {
  name: string;
  bpmn?: string;
  /** For a definition in JSON form. */
  json?: unknown;
}

const KEY = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

/** Records the steps of a trial, or of commands in the playground. */
export class Recording {
  private readonly steps: Step[] = [];
  private readonly names = new Map<string, string>();
  private readonly users = new Map<string, { roles: readonly string[] } | { anonymous: true }>();

  /** `passing`: texts in a view that differ in each run. */
  constructor(
    private readonly name: string,
    private readonly clock: string,
    private readonly passing: RegExp = KEY,
  ) {}

  get length(): number {
    return this.steps.length;
  }

  user(name: string, roles: readonly string[]): void {
    this.users.set(name, { roles });
  }

  stranger(name: string): void {
    this.users.set(name, { anonymous: true });
  }

  /** A user started an instance, which has a name in the scenario from then on. */
  started(user: string, process: string, key: string, fields: Step): void {
    const taken = [...this.names.values()];
    let name = process;
    for (let number = 2; taken.includes(name); number++) name = `${process} ${number}`;
    this.names.set(key, name);
    this.steps.push({ as: user, start: process, ...fields, ...(name === process ? {} : { named: name }) });
  }

  /** A step that concerns no instance, or names its own. */
  step(user: string, step: Step): void {
    this.steps.push({ as: user, ...step });
  }

  /** A user ran a command on an instance of a process. */
  did(user: string, process: string, key: string, step: Step): void {
    this.steps.push({ as: user, instance: this.called(process, key), ...step });
  }

  advanced(milliseconds: number): void {
    this.steps.push({ advance: `PT${Number((milliseconds / 1000).toFixed(3))}S` });
  }

  /** The state of an instance after a step, as a user sees it. */
  expect(user: string, process: string, instance: Instance): void {
    const status = instance.status.get();
    if (status === undefined || instance.error.get()) return;
    const nodes = instance.nodes.get();
    const expected: Step = {
      status,
      nodes: nodes.map(({ node }) => node),
      actions: instance.actions.get().map(({ name }) => name),
    };
    const incidents = nodes.flatMap(({ incident }) => (incident ? [incident.code] : []));
    if (incidents.length > 0) expected.incidents = incidents;
    const view = lasting(instance.view.get(), this.passing);
    if (Object.keys(view as object).length > 0) expected.view = view;
    this.steps.push({ as: user, instance: this.called(process, instance.key), expect: expected });
  }

  /** A subprocess is named by the id of its process, which means the newest one. */
  called(process: string, key: string): string {
    return this.names.get(key) ?? process;
  }

  /** The file; with `inside` it contains the models itself. */
  yaml(files: readonly ScenarioFile[], inside: boolean): string {
    const users = [...this.users].map(([name, user]) => `  ${JSON.stringify(name)}: ${JSON.stringify(user)}`);
    const deploy = files.map(({ name, bpmn, json }) => {
      if (!inside) return `  - ${JSON.stringify(name)}`;
      return bpmn === undefined ? `  - json: ${JSON.stringify(json)}` : `  - bpmn: |\n${indented(bpmn)}`;
    });
    return [
      `name: ${JSON.stringify(this.name)}`,
      'deploy:',
      ...deploy,
      'users:',
      ...users,
      `clock: ${this.clock}`,
      'steps:',
      ...this.steps.map((step) => `  - ${JSON.stringify(step)}`),
      '',
    ].join('\n');
  }
}

/** Keys of instances and files differ in each run: any value matches them. */
function lasting(value: unknown, passing: RegExp): unknown {
  if (typeof value === 'string') return passing.test(value) ? '*' : value;
  if (Array.isArray(value)) return value.map((item) => lasting(item, passing));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, lasting(member, passing)]));
}

function indented(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .trimEnd()
    .split('\n')
    .map((line) => `      ${line}`)
    .join('\n');
}
