/**
 * The model as text: written once after a change for all its uses (the draft, the check, a trial), and with a delay that grows with
 * the time that writing takes, so that typing in a model of thousands of nodes does not wait for it.
 */

import type { Drawing } from './modeler.js';

/** The pause is this many times as long as writing takes. */
const SHARE = 4;
/** The longest pause, as changes that are not stored are lost in a crash. */
const LONGEST_MS = 5_000;

export class Written {
  private text: Promise<string> | undefined;
  /** How long writing took last, in milliseconds. */
  private cost = 0;

  constructor(private readonly write: () => Promise<string>) {}

  /** The model has changed. */
  stale(): void {
    this.text = undefined;
  }

  /** The current model as text. */
  get(): Promise<string> {
    if (this.text) return this.text;
    const begun = performance.now();
    const text = this.write();
    this.text = text;
    text.then(
      () => (this.cost = performance.now() - begun),
      () => this.text === text && this.stale(),
    );
    return text;
  }

  /** The pause after a change before the model is written, at least `least`. */
  pause(least: number): number {
    return Math.max(least, Math.min(LONGEST_MS, SHARE * this.cost));
  }
}

/** A model as BPMN. */
export async function written(drawing: Drawing): Promise<string> {
  const { xml, error } = await drawing.saveXML({ format: true });
  if (xml === undefined) throw error ?? new Error('expected a model, but there is none');
  return xml;
}
