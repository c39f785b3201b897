/**
 * Names of processes, nodes and lanes for people: loaded once for each process that a list shows, from its newest version. If that
 * fails, the id is shown.
 */
import { h } from '../dom.js';
import { getJson } from './rest.js';

interface Part {
  id: string;
  name?: string | null;
}
interface Definition extends Part {
  version: number;
  nodes?: Part[];
  lanes?: Part[];
}
/** Number of processes whose names are loaded; the others of a list show their ids. */
const MOST = 20;

const known = new Map<string, Promise<Named>>();

/** The names of one process. */
export class Named {
  private readonly parts: Map<string, string>;

  constructor(private readonly definition?: Definition) {
    const parts = [...(definition?.nodes ?? []), ...(definition?.lanes ?? [])];
    this.parts = new Map(parts.flatMap(({ id, name }) => (name ? [[id, name] as const] : [])));
  }

  /** The process. */
  get process(): string | undefined {
    return this.definition?.name || undefined;
  }

  /** The name of a node or lane; its id if it has none. */
  part(id: string): string {
    return this.parts.get(id) ?? id;
  }
}

/** The names of these processes. */
export async function namesOf(processes: Iterable<string>): Promise<Map<string, Named>> {
  const asked = [...new Set(processes)].slice(0, MOST);
  const found = await Promise.all(asked.map(async (id) => [id, await read(id)] as const));
  return new Map(found);
}

function read(id: string): Promise<Named> {
  let named = known.get(id);
  if (!named) known.set(id, (named = ask(id).catch(() => new Named())));
  return named;
}

async function ask(id: string): Promise<Named> {
  const path = `/v1/definitions/${encodeURIComponent(id)}`;
  const newest = (await getJson<{ versions: { version: number }[] }>(path))?.versions.at(-1);
  return new Named(newest && (await getJson<Definition>(`${path}/${newest.version}`)));
}

/** A node as its name, and its id in the diagram's file. */
export function nodeName(named: Named | undefined, node: string): (Node | string)[] {
  const name = named?.part(node) ?? node;
  return [...(name === node ? [] : [`${name} `]), h('code', { class: 'muted' }, node)];
}

/** The place of a task or incident. */
export function where(names: ReadonlyMap<string, Named>, process: string, node: string): (Node | string)[] {
  const named = names.get(process);
  return [named?.process ?? process, ' · ', ...nodeName(named, node)];
}
