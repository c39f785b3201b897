import type { Model } from './model.js';

/** A new process must not have the id of an existing one: gives the processes of the model, and calls of them, ids that are free. */
export function giveFreshIds(model: Model, known: readonly string[]): void {
  const taken = new Set(known);
  for (const process of model.processes()) {
    const former = process.id ?? '';
    if (!taken.has(former)) continue;
    let number = 2;
    while (taken.has(`${former}${number}`)) number++;
    const id = `${former}${number}`;
    const owner = model.elements().find(({ businessObject }) => businessObject === process) ?? model.root;
    model.rename(owner, process, id);
    const calls = model.elements().filter(({ type }) => type === 'bpmn:CallActivity');
    for (const call of calls.filter(({ businessObject }) => businessObject.get('calledElement') === former)) {
      model.set(call, call.businessObject, { calledElement: id });
    }
  }
}
