/** Why a placeholder of a pushed message became null: what its template referred to, and what the data contained there. */
import { getJson } from './rest.js';

interface Action {
  name: string;
  params?: { message?: string };
  children?: Action[];
}
interface Definition {
  nodes?: { id: string; actions?: Action[] }[];
}

const PLACEHOLDER = /\$\{\s*([^}]+?)\s*\}/g;

export class NullReasons {
  private definition: Promise<Definition | undefined> | undefined;

  constructor(private readonly address: string) {}

  /** A sentence per placeholder without a value; none if the definition cannot be loaded or all have one. */
  async of(node: string, action: string, sources: readonly unknown[]): Promise<string[]> {
    this.definition ??= getJson<Definition>(this.address);
    const definition = await this.definition;
    const actions = definition?.nodes?.find(({ id }) => id === node)?.actions ?? [];
    const found = [...actions, ...actions.flatMap(({ children = [] }) => children)].find(({ name }) => name === action);
    const paths = new Set([...(found?.params?.message ?? '').matchAll(PLACEHOLDER)].map((match) => match[1]!));
    return [...paths].map((path) => reason(path, sources)).filter((sentence) => sentence !== undefined);
  }
}

/** `sources`: the variables of the element, of its scopes, and the data of the process, in the order of the lookup. */
function reason(path: string, sources: readonly unknown[]): string | undefined {
  const names = path.split('.');
  const owner = sources.find((source) => has(source, names[0]!));
  if (owner === undefined) return `\${${path}} is null: the data have no '${names[0]}' there`;
  let value: unknown = owner;
  for (const [index, name] of names.entries()) {
    if (!has(value, name)) {
      const before = names.slice(0, index).join('.');
      return `\${${path}} is null: '${before}' is ${kindOf(value)} without '${name}'`;
    }
    value = (value as Record<string, unknown>)[name];
  }
  return value === null ? `\${${path}} is null: the data say null there` : undefined;
}

const has = (value: unknown, name: string): boolean => typeof value === 'object' && value !== null && Object.hasOwn(value, name);

const kindOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `the ${typeof value} ${String(value)}`;
