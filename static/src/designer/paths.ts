/** The data paths that occur in a model, for completion. */
import type { Model } from './model.js';
import type { Moddle } from './types.js';

const PLACEHOLDER = /\$\{\s*([\p{L}_][\p{L}\p{N}_.]*)/gu;
const TEMPLATES = ['message', 'output', 'url', 'body', 'headers'];

/** The paths in the keys of actions, the results of subprocesses, calls and approvals, and templates. */
export function knownPaths(model: Model): string[] {
  const paths = new Set<string>();
  const add = (path: string | undefined) => path?.trim() && paths.add(path.trim());
  const addKeys = (keys: Moddle[]) => keys.forEach((key) => add(key.get<string | undefined>('path')));
  const addTemplate = (text: string | undefined) => [...(text ?? '').matchAll(PLACEHOLDER)].forEach(([, path]) => add(path));
  for (const { businessObject: moddle } of model.elements()) {
    addKeys(model.extensions(moddle, 'stepwire:Key'));
    for (const name of ['outputKey', 'collection', 'decisionKey']) add(read(moddle, name));
    for (const action of model.actions(moddle)) {
      addKeys(action.get<Moddle[]>('keys'));
      ['outputKey', 'destination'].forEach(
        (name) => (name === 'destination' && action.get('type') === 'appendToParent') || add(model.param(action, name)),
      );
      TEMPLATES.forEach((name) => addTemplate(model.param(action, name)));
    }
  }
  // The parents of a path exist, too.
  for (const path of [...paths]) {
    const members = path.split('.');
    for (let length = 1; length < members.length; length++) paths.add(members.slice(0, length).join('.'));
  }
  return [...paths].sort();
}

function read(moddle: Moddle, name: string): string | undefined {
  try {
    return moddle.get<string | undefined>(`stepwire:${name}`);
  } catch {
    // Elements that have no such attribute.
    return undefined;
  }
}
