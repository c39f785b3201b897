/**
 * Handles Action messages that ask for another process: START_PROCESS_INHERIT, with the values of the page that they name. For the
 * option `onAction` of `connect`.
 */
import type { ActionMessage } from './instance.js';
import type { Client } from './client.js';
import type { JsonObject } from './frames.js';

/** The process that a START_PROCESS_INHERIT message asks the client to start, and the values to add. */
function startOf(body: unknown): { process: string; dataKeys: string[] } | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { processName, type, processInstanceKey, clientDataKeys } = body as JsonObject;
  const asks = typeof processName === 'string' && (type === undefined || type === null || type === 'START_PROCESS_INHERIT');
  // If there is a key, the server has already started it, and the child is announced.
  if (!asks || typeof processInstanceKey === 'string') return undefined;
  return { process: processName, dataKeys: Array.isArray(clientDataKeys) ? clientDataKeys.map(String) : [] };
}

/** The members of `values` that `keys` name. */
const pick = (values: JsonObject, keys: string[]): JsonObject =>
  Object.fromEntries(keys.filter((key) => Object.hasOwn(values, key)).map((key) => [key, values[key]]));

/**
 * Starts the process that such a message asks for, as a child of the sending instance; ignores other messages (`undefined`).
 * `clientData` are the page's own values, of which the message names the ones it needs. A refusal is in the `error` of the
 * instance.
 */
export function inherit(
  clientData: JsonObject | (() => JsonObject) = {},
): (message: ActionMessage, client: Pick<Client, 'start'>) => Promise<void> | undefined {
  return ({ instance, seq, body }, client) => {
    const asked = startOf(body);
    if (!asked) return undefined;
    const values = typeof clientData === 'function' ? clientData() : clientData;
    const starting = client.start(asked.process, { data: pick(values, asked.dataKeys), inheritFrom: { instance, seq } });
    // Its parent keeps it open.
    return starting.then((child) => child.close());
  };
}
