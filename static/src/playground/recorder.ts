/** Records sent and received frames as steps of a scenario that `stepwire test` plays. */
import type { Instance, JsonObject, StepwireError } from '@stepwire/client';
import { iterationStep } from '../admin/iterations.js';
import { Recording, type ScenarioFile } from '../recording.js';

/** Keys and times, which differ in each run. */
const PASSING = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d/i;
/** Commands at an element: a step names its node. */
const AT_NODE = ['claim', 'release', 'retry', 'skip'];
const OF_INSTANCE = ['hold', 'unhold', 'terminate', 'dismiss'];

/** The sender of a command. */
export interface Sender {
  name: string;
  /** Absent: without a token. */
  roles?: readonly string[] | undefined;
}

/** A node, and which iteration of it, as members of a step. */
interface Place {
  node?: string;
  iteration?: number | number[];
}

/** Records one connection. */
export class Recorder {
  private readonly recording: Recording;
  /** Instances in sent or received frames since the previous step. */
  private readonly touched = new Map<string, Instance>();
  private readonly processes: string[] = [];
  /** When the previous step was answered. */
  private before = Date.now();
  /** Whether something happened by itself since then. */
  private moved = false;
  /** Where the command is done that was sent last. */
  private place: Place = {};

  constructor(
    private readonly find: (key: string) => Instance | undefined,
    private readonly who: Sender,
  ) {
    this.recording = new Recording('Recorded in the playground', new Date().toISOString(), PASSING);
    if (who.roles) this.recording.user(who.name, who.roles);
    else this.recording.stranger(who.name);
  }

  get length(): number {
    return this.recording.length;
  }

  /** The started processes, each after those it called. */
  get started(): readonly string[] {
    return this.processes;
  }

  /** A frame that no command caused: time or another user has moved the process. */
  came(instance: Instance): void {
    this.touched.set(instance.key, instance);
    this.moved = true;
    this.uses(instance.process);
  }

  /** A command is about to be sent; its element may be gone when it is answered. */
  sends({ element, scope }: JsonObject, about: Instance | undefined): void {
    this.settled();
    this.place = placeOf(element ?? scope, about);
  }

  /** The current state is the result of the steps so far. */
  private settled(): void {
    const elapsed = Date.now() - this.before;
    if (this.moved && this.length > 0) this.recording.advanced(elapsed);
    for (const instance of this.touched.values()) {
      if (instance.process) this.recording.expect(this.who.name, instance.process, instance);
    }
    this.touched.clear();
    this.moved = false;
  }

  /** A command was executed or refused. `about` is the instance it addressed or started. */
  did(frame: JsonObject, about: Instance | undefined, error?: StepwireError): void {
    const refused = error && { refused: error.reason ? { code: error.code, reason: error.reason } : error.code };
    const { type, id: _id, instance: _instance, ...fields } = frame;
    this.before = Date.now();
    if (about && !error) this.touched.set(about.key, about);
    if (type === 'start') return this.start(fields, about, refused);
    const step = { ...this.stepOf(String(type), fields), ...refused };
    if (about?.process) this.recording.did(this.who.name, about.process, about.key, step);
    else this.recording.step(this.who.name, step);
  }

  private start({ process, subscribe: _follow, test: _test, nonce: _nonce, inheritFrom, ...fields }: JsonObject, about: Instance | undefined, refused?: object): void {
    const { name } = this.who;
    const from = inheritFrom as { instance: string } | undefined;
    const parent = from && this.find(from.instance);
    const inherits = parent?.process ? { instance: this.recording.called(parent.process, parent.key), inherit: true } : {};
    if (!about) return this.recording.step(name, { start: process, ...inherits, ...fields, ...refused });
    this.uses(String(process));
    this.recording.started(name, String(process), about.key, { ...inherits, ...fields });
  }

  private stepOf(type: string, fields: JsonObject): JsonObject {
    const { element: _element, scope: _scope, ...others } = fields;
    const { node, ...at } = this.place;
    if (type === 'run') {
      const { action, ifSeq: _seq, ...data } = others;
      return { run: action, ...(node && { node, ...at }), ...data };
    }
    if (AT_NODE.includes(type) && node) return { [type]: node, ...at };
    if (type === 'assign' && node) return { assign: node, to: others.user, ...at };
    if (OF_INSTANCE.includes(type)) return { do: type };
    if (type === 'patch') return { patch: others.data, ...(node && { scope: node, ...at }) };
    if (type === 'publish') return { publish: fields };
    return { send: { type, ...fields } };
  }

  private uses(process: string | undefined): void {
    if (process && !this.processes.includes(process)) this.processes.unshift(process);
  }

  /** The file. With `inside` it contains the models; otherwise it names files beside it. */
  yaml(files: readonly ScenarioFile[], inside: boolean): string {
    this.settled();
    return this.recording.yaml(files, inside);
  }
}

/** The node of an element, and its iteration. */
function placeOf(element: unknown, about: Instance | undefined): Place {
  const nodes = about?.nodes.get() ?? [];
  const found = nodes.find((one) => one.element === element);
  return found ? { node: found.node, ...iterationStep(found.element, nodes) } : {};
}
