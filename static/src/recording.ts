/** A run as a scenario file that `stepwire test` replays; the format: docs/scenarios.md. */
import type { Instance } from '@stepwire/client';

type Step = Record<string, unknown>;

/** A file of the scenario: a process of the draft, or a published one that it starts or calls. */
export interface ScenarioFile {
  name: string;
  bpmn: string;
}

const KEY = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

/** The steps of a trial, as they are done. */
export class Recording {
  private readonly steps: Step[] = [];
  private readonly names = new Map<string, string>();
  private readonly users = new Map<string, readonly string[]>();

  constructor(
    private readonly name: string,
    private readonly clock: string,
  ) {}

  get length(): number {
    return this.steps.length;
  }

  user(name: string, roles: readonly string[]): void {
    this.users.set(name, roles);
  }

  /** Somebody started an instance, which has a name in the scenario from then on. */
  started(user: string, process: string, key: string, fields: Step): void {
    const taken = [...this.names.values()];
    let name = process;
    for (let number = 2; taken.includes(name); number++) name = `${process} ${number}`;
    this.names.set(key, name);
    this.steps.push({ as: user, start: process, ...fields, ...(name === process ? {} : { named: name }) });
  }

  /** Somebody did something at an instance of a process. */
  did(user: string, process: string, key: string, step: Step): void {
    this.steps.push({ as: user, instance: this.called(process, key), ...step });
  }

  advanced(milliseconds: number): void {
    this.steps.push({ advance: `PT${Number((milliseconds / 1000).toFixed(3))}S` });
  }

  /** How an instance stands after a step, as a user sees it. */
  expect(user: string, process: string, instance: Instance): void {
    const status = instance.status.get();
    if (status === undefined || instance.error.get()) return;
    const nodes = instance.nodes.get();
    const expected: Step = {
      status,
      nodes: [...new Set(nodes.map(({ node }) => node))],
      actions: instance.actions.get().map(({ name }) => name),
    };
    const incidents = nodes.flatMap(({ incident }) => (incident ? [incident.code] : []));
    if (incidents.length > 0) expected.incidents = incidents;
    const view = lasting(instance.view.get());
    if (Object.keys(view as object).length > 0) expected.view = view;
    this.steps.push({ as: user, instance: this.called(process, instance.key), expect: expected });
  }

  /** A subprocess goes by the id of its process: the newest one is meant. */
  called(process: string, key: string): string {
    return this.names.get(key) ?? process;
  }

  /** The file; with `inside` it holds the models itself. */
  yaml(files: readonly ScenarioFile[], inside: boolean): string {
    const users = [...this.users].map(([name, roles]) => `  ${JSON.stringify(name)}: ${JSON.stringify({ roles })}`);
    const deploy = files.map(({ name, bpmn }) => (inside ? `  - bpmn: |\n${indented(bpmn)}` : `  - ${JSON.stringify(name)}`));
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

/** Keys of instances and files differ from run to run: any value stands for them. */
function lasting(value: unknown): unknown {
  if (typeof value === 'string') return KEY.test(value) ? '*' : value;
  if (Array.isArray(value)) return value.map(lasting);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, lasting(member)]));
}

function indented(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .trimEnd()
    .split('\n')
    .map((line) => `      ${line}`)
    .join('\n');
}
