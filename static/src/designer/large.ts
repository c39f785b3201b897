/** Models of thousands of nodes: the hint shown for them, and the part of them that is sent. */
import { saved } from './notes.js';

/** From this many characters on, a model is checked without its diagram, as the server accepts only twice that. */
const LARGE = 1_000_000;

/** The message for a model that is too large. */
export const TOO_LARGE =
  'Not saved: with its diagram the model is larger than the server accepts. Export it as a file, or make parts of it processes of their own and call them.';

/** The model for the server's check: without its diagram if that would make it too large. */
export async function toCheck(xml: string): Promise<string> {
  return xml.length > LARGE ? (await import('./layout.js')).withoutDiagram(xml) : xml;
}

/** Drawing thousands of nodes blocks the browser for a while: a message says so, and is painted before. */
export async function sayWhenLarge(xml: string): Promise<void> {
  if (xml.length < LARGE / 2) return;
  const flows = xml.match(/<(\w+:)?sequenceFlow\b/g)?.length ?? 0;
  saved(`Drawing a large model (${flows.toLocaleString()} flows); the page answers again once that is done.`);
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}
