/**
 * Action messages that ask for another process: START_PROCESS_INHERIT, with the values of the page that it names. For the option
 * `onAction` of `connect`.
 */
import type { ActionMessage } from './instance.js';
import type { Client } from './client.js';
import type { JsonObject } from './frames.js';

/** The process that a message of the form START_PROCESS_INHERIT asks the client to start, and the values it wants added. */
function startOf({ processName, type, processInstanceKey, clientDataKeys }: JsonObject): { process: string; dataKeys: string[] } | undefined {
  const asks = typeof processName === 'string' && (type === undefined || type === null || type === 'START_PROCESS_INHERIT');
  // With a key the server has started it already; the child comes by itself.
  if (!asks || typeof processInstanceKey === 'string') return undefined;
  return { process: processName, dataKeys: Array.isArray(clientDataKeys) ? clientDataKeys.map(String) : [] };
}

/** The members of `values` that `keys` name. */
const pick = (values: JsonObject, keys: string[]): JsonObject =>
  Object.fromEntries(keys.filter((key) => Object.hasOwn(values, key)).map((key) => [key, values[key]]));

/**
 * Starts what such a message asks for, as a child of the instance that sent it; leaves other messages alone (`undefined`).
 * `clientData` are the page's own values, of which the message names those it wants. A refusal is in the `error` of the instance.
 */
export function inherit(
  clientData: JsonObject | (() => JsonObject) = {},
): (message: ActionMessage, client: Pick<Client, 'start'>) => Promise<void> | undefined {
  return ({ instance, seq, body }, client) => {
    const asked = startOf(body);
    if (!asked) return undefined;
    const values = typeof clientData === 'function' ? clientData() : clientData;
    const starting = client.start(asked.process, { data: pick(values, asked.dataKeys), inheritFrom: { instance, seq } });
    // Its parent keeps it.
    return starting.then((child) => child.close());
  };
}
