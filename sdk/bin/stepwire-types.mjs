#!/usr/bin/env node
// Writes the types of a server's published processes into a folder, for `connect<Processes>(…)`; with --check it says whether what
// is there is still what the server has. What the types are made of is the server's affair.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const USAGE = `stepwire-types [PROCESS…] writes the types of published processes, of all or of those that are named.

  --url URL      the server, default http://127.0.0.1:8000
  --token TOKEN  a user's token, default the environment's STEPWIRE_TOKEN
  --out FOLDER   where to, default stepwire-types; import { Processes } from FOLDER/index.js
  --check        write nothing; end with 1 when something is not as the server has it
  --help         this text`;

/** How the files begin that this program writes and may remove. */
const MARK = /^\/\/ .*: not to be edited\.$/m;

try {
  await main();
} catch (error) {
  console.error(`stepwire-types: ${error.message}${error.cause ? ` (${error.cause.message ?? error.cause})` : ''}`);
  process.exitCode = 2;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:8000' },
      token: { type: 'string', default: process.env.STEPWIRE_TOKEN },
      out: { type: 'string', default: 'stepwire-types' },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const wanted = await filesOf(values, positionals);
  const present = readFolder(values.out);
  const changed = [...wanted].filter(([name, text]) => present.get(name) !== text).map(([name]) => name);
  const stale = [...present].filter(([name, text]) => !wanted.has(name) && MARK.test(text)).map(([name]) => name);
  if (values.check) return check(values.out, changed, stale);
  mkdirSync(values.out, { recursive: true });
  changed.forEach((name) => writeFileSync(join(values.out, name), wanted.get(name)));
  stale.forEach((name) => rmSync(join(values.out, name)));
  console.log(`${values.out}: ${wanted.size - 1} processes, ${changed.length} files written, ${stale.length} removed`);
}

function check(out, changed, stale) {
  if (changed.length + stale.length === 0) return console.log(`${out} is as the server has it`);
  changed.forEach((name) => console.error(`${join(out, name)} is not as the server has it`));
  stale.forEach((name) => console.error(`${join(out, name)} is of a process that the server has not published`));
  console.error('run stepwire-types without --check to write them anew');
  process.exitCode = 1;
}

/** File name → text. */
async function filesOf({ url, token }, named) {
  const get = (path) => fetchText(new URL(path, url.endsWith('/') ? url : `${url}/`), token);
  const published = (await definitions(get)).filter(
    ({ state, id }) => state === 'published' && (named.length === 0 || named.includes(id)),
  );
  const missing = named.filter((name) => !published.some(({ id }) => id === name));
  if (missing.length > 0) throw new Error(`expected published processes, but there is none of the name ${missing.join(', ')}`);
  const files = new Map();
  const modules = [];
  for (const { id, version } of published.sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const name = moduleOf(id, modules);
    modules.push(name);
    files.set(`${name}.d.ts`, await get(`v1/definitions/${encodeURIComponent(id)}/${version}/types.d.ts`));
  }
  return files.set('index.d.ts', indexOf(modules));
}

async function definitions(get) {
  const all = [];
  for (let next, more = true; more; more = next !== undefined && next !== null) {
    const page = JSON.parse(await get(`v1/definitions${next ? `?cursor=${encodeURIComponent(next)}` : ''}`));
    all.push(...page.definitions);
    next = page.next;
  }
  return all;
}

/** A process's id as a file name that no other process has, whatever a file system makes of capitals. */
function moduleOf(id, taken) {
  const base = id.replace(/[^\w-]/g, '_');
  const used = new Set(['index', ...taken].map((name) => name.toLowerCase()));
  let name = base;
  for (let number = 2; used.has(name.toLowerCase()); number += 1) name = `${base}-${number}`;
  return name;
}

function indexOf(modules) {
  const imports = modules.map((name, index) => `import type { Processes as P${index} } from './${name}.js';\n`);
  const all = modules.map((_, index) => `P${index}`).join(', ');
  const declaration =
    modules.length > 0 ? `export interface Processes extends ${all} {}` : 'export type Processes = Record<never, never>;';
  return `// Types of published processes. Stepwire's client made them from the server's: not to be edited.\n\n${imports.join('')}\n/** For connect<Processes>(…). */\n${declaration}\n`;
}

async function fetchText(url, token) {
  const answer = await fetch(url, { headers: token ? { authorization: `Bearer ${token}` } : {} }).catch((cause) => {
    throw new Error(`expected a server at ${url.origin}, but it cannot be reached`, { cause: cause.cause ?? cause });
  });
  if (answer.ok) return answer.text();
  const tell = {
    401: token
      ? 'does not take this token; make a new one: stepwire token --sub types'
      : "tells the types only to users: add --token, or set STEPWIRE_TOKEN, to what 'stepwire token --sub types' prints on the server's machine",
    403: "does not show the definitions to this user; one with role designer sees all: stepwire token --sub types --role designer",
  }[answer.status];
  throw new Error(`expected ${url.pathname}, but the server ${tell ?? `answered ${answer.status}`}`);
}

function readFolder(out) {
  try {
    const names = readdirSync(out).filter((name) => name.endsWith('.d.ts'));
    return new Map(names.map((name) => [name, readFileSync(join(out, name), 'utf8')]));
  } catch (error) {
    if (error.code === 'ENOENT') return new Map();
    throw error;
  }
}
