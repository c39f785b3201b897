/**
 * The model as text: written once after a change for all its uses (the draft, the check, a trial), and with a delay that grows with
 * the time that writing takes, so that typing in a model of thousands of nodes does not wait for it.
 */

import type { Drawing } from './modeler.js';

/** How many times as long as it takes is waited before. */
const SHARE = 4;
/** And how long at most, as what is not kept is lost in a crash. */
const LONGEST_MS = 5_000;

export class Written {
  private text: Promise<string> | undefined;
  /** How long it took last, in milliseconds. */
  private cost = 0;

  constructor(private readonly write: () => Promise<string>) {}

  /** The model has changed. */
  stale(): void {
    this.text = undefined;
  }

  /** The model as it is now. */
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

  /** How long to wait after a change before it is written, `least` at least. */
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
