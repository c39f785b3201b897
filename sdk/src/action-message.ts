import type { JsonObject } from './frames.js';

/** A message that asks the frontend to do something. It stays open until `done`, or until a start that inherits from it. */
export interface ActionMessage {
  instance: string;
  seq: number;
  /** The node that sent it, when known. */
  node: string | undefined;
  body: JsonObject;
}

/** The process that a message of the form START_PROCESS_INHERIT asks the client to start, and the values it wants added. */
export function inheritStart(body: JsonObject): { process: string; dataKeys: string[] } | undefined {
  const { processName, type, processInstanceKey, clientDataKeys } = body;
  const asks = typeof processName === 'string' && (type === undefined || type === null || type === 'START_PROCESS_INHERIT');
  // With a key the server has started it already; the child comes by itself.
  if (!asks || typeof processInstanceKey === 'string') return undefined;
  return { process: processName, dataKeys: Array.isArray(clientDataKeys) ? clientDataKeys.map(String) : [] };
}

/** The members of `values` that `keys` name. */
export function pick(values: JsonObject, keys: string[]): JsonObject {
  return Object.fromEntries(keys.filter((key) => Object.hasOwn(values, key)).map((key) => [key, values[key]]));
}
