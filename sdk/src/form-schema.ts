// The parts of a JSON Schema that a form uses. The inputs created from it: `forms.ts`.

import type { JsonObject } from './frames.js';

/** The parts of a JSON Schema that a form uses. */
export interface Schema {
  type?: string | string[];
  title?: string;
  description?: string;
  format?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  oneOf?: { const?: unknown; title?: string }[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  allOf?: Schema[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  multipleOf?: number;
  pattern?: string;
  readOnly?: boolean;
  [keyword: string]: unknown;
}

/** A schema with its `allOf` merged, as far as the parts do not contradict each other. */
export const flat = (schema: Schema): Schema => Object.assign({}, ...(schema.allOf ?? []).map(flat), schema);

const typesOf = ({ type }: Schema) => [type].flat();
/** The type that a value may have, apart from `null`. */
export const typeOf = (schema: Schema): string | undefined => typesOf(schema).find((one) => one !== 'null');
export const isNullable = (schema: Schema): boolean => typesOf(schema).includes('null');

/** The values to choose from, with their labels. */
export function choicesOf({ enum: values, oneOf }: Schema): { value: unknown; label: string }[] | undefined {
  if (oneOf?.every((one) => 'const' in one)) return oneOf.map((one) => ({ value: one.const, label: one.title ?? `${one.const}` }));
  return values?.map((value) => ({ value, label: `${value}` }));
}

/** The value at a path of members. */
export const valueAt = (data: unknown, path: string[]): unknown =>
  path.reduce<unknown>((at, name) => (Object(at) as JsonObject)[name], data);
