/** Files that the designer opens. */
import { check, formatOf, loaded, Refused } from '../admin/definitions.js';
import { h } from '../dom.js';

/** Lets the user choose a file with a model. */
export function chooseFile(then: (file: File) => void): void {
  const input = h('input', { type: 'file', accept: '.bpmn,.xml,.json' });
  input.addEventListener('change', () => input.files?.[0] && then(input.files[0]));
  input.click();
}

/** Takes a file that is dropped anywhere on the page, which the browser would open instead. */
export function acceptDrops(then: (file: File) => void): void {
  document.addEventListener('dragover', (event) => event.dataTransfer?.types.includes('Files') && event.preventDefault());
  document.addEventListener('drop', (event) => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    then(file);
  });
}

/** A text as BPMN, also if it is the JSON form. */
export async function modelOf(text: string): Promise<string> {
  return formatOf(text) === 'json' ? (await loaded(import('./json-form.js'))).bpmnOf(text) : text;
}

/** Why a text that cannot be drawn is no model, in the words of the server where it knows; `error` is what the canvas says. */
export async function whyNotOpen(text: string, error: Error): Promise<Error> {
  try {
    const problems = await check(text, formatOf(text));
    return problems.length > 0 ? new Refused(422, 'invalid_definition', error.message, problems) : error;
  } catch (refused) {
    return (refused as Refused).status === 0 ? error : (refused as Refused);
  }
}
