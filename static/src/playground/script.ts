/** Scripts of the playground: JSON frames, one after the other, with `$names` for values that are known only when they run. */
import type { JsonObject } from '@stepwire/client';

/** The objects of a script. Lines that begin with `#` are comments. Throws a sentence that names the line. */
export function read(text: string): JsonObject[] {
  const found: JsonObject[] = [];
  let [depth, begun, line, inText] = [0, 0, 1, false];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]!;
    if (char === '\n') line += 1;
    if (inText) {
      if (char === '\\') at += 1;
      else if (char === '"') inText = false;
    } else if (char === '{') {
      if (depth === 0) begun = at;
      depth += 1;
    } else if (char === '}' && depth > 0) {
      depth -= 1;
      if (depth === 0) found.push(parsed(text.slice(begun, at + 1), line));
    } else if (depth > 0) inText = char === '"';
    else if (char === '#') {
      while (at + 1 < text.length && text[at + 1] !== '\n') at += 1;
    } else if (!/\s/.test(char)) throw new Error(`expected JSON objects, but line ${line} has '${char}' between them`);
  }
  if (depth > 0) throw new Error('expected an object to end with }, but the script ends before');
  return found;
}

function parsed(text: string, line: number): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch (error) {
    throw new Error(`expected JSON, but the object that ends in line ${line} is not JSON: ${(error as Error).message}`);
  }
}

/** The same with values in place of `$names`. Throws a sentence for a name without a value. */
export function filled(value: unknown, values: Record<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((item) => filled(item, values));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, filled(member, values)]));
  }
  if (typeof value !== 'string') return value;
  const valueOf = (name: string) => {
    if (values[name] !== undefined) return values[name];
    const known = Object.keys(values).filter((one) => values[one] !== undefined);
    throw new Error(`expected a value for $${name}, but there is none yet; known are: ${known.map((one) => `$${one}`).join(', ') || 'none'}`);
  };
  const whole = /^\$([a-z]+)$/i.exec(value);
  return whole ? valueOf(whole[1]!) : value.replace(/\$\{([a-z]+)\}/gi, (_, name: string) => String(valueOf(name)));
}

/** Whether a frame contains everything in a pattern. */
export function fits(frame: unknown, pattern: unknown): boolean {
  if (typeof pattern !== 'object' || pattern === null) return Object.is(frame, pattern);
  if (typeof frame !== 'object' || frame === null) return false;
  return Object.entries(pattern).every(([name, member]) => fits((frame as JsonObject)[name], member));
}
