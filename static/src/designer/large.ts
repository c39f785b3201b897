/** Models of thousands of nodes: the hint shown for them, and the part of them that is sent. */
import { saved } from './notes.js';

/** Characters from which on a model is sent without its diagram to be checked, as the server takes no more than twice that. */
const LARGE = 1_000_000;

/** Said when a model is not taken for its size. */
export const TOO_LARGE =
  'Not saved: with its diagram the model is larger than the server accepts. Export it as a file, or make parts of it processes of their own and call them.';

/** What the server checks: without its diagram when that would make it too large. */
export async function toCheck(xml: string): Promise<string> {
  return xml.length > LARGE ? (await import('./layout.js')).withoutDiagram(xml) : xml;
}

/** Drawing thousands of nodes takes the browser a while, in which it answers nothing: that is said, and painted, before. */
export async function sayWhenLarge(xml: string): Promise<void> {
  if (xml.length < LARGE / 2) return;
  const flows = xml.match(/<(\w+:)?sequenceFlow\b/g)?.length ?? 0;
  saved(`Drawing a large model (${flows.toLocaleString()} flows); the page answers again once that is done.`);
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}
