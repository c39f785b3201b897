/** The requests of the pages to the HTTP interface for process definitions. */

/** What is wrong with a definition, as a deploy or a check lists it. */
export interface Problem {
  element: string;
  code: string;
  message: string;
  severity: 'error' | 'warning';
}

/** A version on the server. */
export interface Version {
  id: string;
  version: number;
  state: string;
  format?: 'bpmn' | 'json';
  createdAt?: string;
  createdBy?: string;
}

export interface Deployed extends Version {
  problems: Problem[];
  definitions?: Deployed[];
}

/** The format of a file. */
export type Format = 'bpmn' | 'json';

const MEDIA_TYPES: Record<Format, string> = { bpmn: 'application/xml', json: 'application/json' };

/** A refusal of the server: its sentence, and the problems of the definition, if any. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly problems: Problem[] = [],
  ) {
    super(message);
  }
}

export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch {
    throw new Refused(0, 'unreachable', 'expected an answer of the server, but it cannot be reached; try again when it is back');
  }
  if (response.ok) return response;
  const text = await response.text();
  try {
    const { detail, code, problems } = JSON.parse(text) as { detail: string; code: string; problems?: Problem[] };
    throw new Refused(response.status, code, detail, problems);
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(response.status, 'internal', `expected an answer, but the server said ${response.status}`);
  }
}

/** A part of a page that is loaded when it is needed; says in the words of the other requests why it cannot be. */
export async function loaded<T>(part: Promise<T>): Promise<T> {
  try {
    return await part;
  } catch {
    await ask('/readyz');
    throw new Error('expected a part of this page, but the server has another version of it; load the page again');
  }
}

const address = (id: string, version?: number | string) =>
  `/v1/definitions/${encodeURIComponent(id)}${version === undefined ? '' : `/${version}`}`;

/** Deploys a source. `base` is the newest version of its first process that its author knows. */
export async function deploy(source: string, format: Format, options: { publish: boolean; base?: number }): Promise<Deployed> {
  const base = options.base === undefined ? '' : `&base=${options.base}`;
  const headers = { 'content-type': MEDIA_TYPES[format] };
  const path = `/v1/definitions?publish=${options.publish}${base}`;
  return (await ask(path, { method: 'POST', headers, body: source })).json() as Promise<Deployed>;
}

/** All problems of a source. */
export async function check(source: string, format: Format, signal?: AbortSignal): Promise<Problem[]> {
  const headers = { 'content-type': MEDIA_TYPES[format] };
  const response = await ask('/v1/definition-checks', { method: 'POST', headers, body: source, signal });
  return ((await response.json()) as { problems: Problem[] }).problems;
}

/** What to preview: a message or a condition over sample data, or a schedule. */
export type Preview = { message: string; data: unknown } | { condition: string; data: unknown } | { schedule: unknown };
export interface Previewed {
  message?: unknown;
  condition?: boolean;
  times?: string[];
  error?: string;
}

/** The result of a part of a model, as the server evaluates it. */
export async function preview(part: Preview, signal?: AbortSignal): Promise<Previewed> {
  const headers = { 'content-type': 'application/json' };
  const response = await ask('/v1/definition-previews', { method: 'POST', headers, body: JSON.stringify(part), signal });
  return (await response.json()) as Previewed;
}

/** A version's source: BPMN XML, or the JSON form, which every version has. */
export async function source(id: string, version: number | string, format: Format): Promise<string> {
  return (await ask(address(id, version), { headers: { accept: MEDIA_TYPES[format] } })).text();
}

/** The versions of a process; `undefined` if there is no such process. */
export async function versions(id: string): Promise<Version[] | undefined> {
  try {
    return ((await (await ask(address(id))).json()) as { versions: Version[] }).versions;
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return undefined;
    throw error;
  }
}

/** The ids of all processes. */
export async function processIds(): Promise<string[]> {
  const ids = new Set<string>();
  for (let cursor: string | null = ''; cursor !== null;) {
    const path: string = `/v1/definitions${cursor && `?cursor=${encodeURIComponent(cursor)}`}`;
    const part = (await (await ask(path)).json()) as { definitions: Version[]; next: string | null };
    part.definitions.forEach(({ id }) => ids.add(id));
    cursor = part.next;
  }
  return [...ids];
}

/** Publishes, deprecates or deletes a version. */
export async function change(id: string, version: number | string, command: 'publish' | 'deprecate' | 'delete'): Promise<void> {
  if (command === 'delete') await ask(address(id, version), { method: 'DELETE' });
  else await ask(`${address(id, version)}/${command}`, { method: 'POST' });
}

/** Allows or forbids new instances of a process. */
export async function switchProcess(id: string, command: 'enable' | 'disable'): Promise<void> {
  await ask(`${address(id)}/${command}`, { method: 'POST' });
}

/** The text of a chosen file. */
export async function textOf(file: File): Promise<string> {
  const text = await file.text();
  if (!text.trim()) throw new Error('expected BPMN 2.0 XML or the JSON form of a process, but the file is empty');
  return text;
}

/** The format of a file, by its first character: JSON or BPMN XML. */
export function formatOf(text: string): Format {
  return /^[\s\uFEFF]*[{[]/.test(text) ? 'json' : 'bpmn';
}

/** Offers a model to the user as a download. */
export function download(name: string, text: string, format: Format): void {
  saveText(`${name.replace(/[^\w.-]+/g, '_')}.${format === 'bpmn' ? 'bpmn' : 'json'}`, text, MEDIA_TYPES[format]);
}

/** The pause between two files: browsers drop a download that follows another immediately. */
const BETWEEN_FILES_MS = 250;
let saved = Promise.resolve();

/** Offers a text to the user as a download, after the previous ones. */
export function saveText(name: string, text: string, type = 'text/plain'): void {
  saved = saved.then(() => {
    const url = URL.createObjectURL(new Blob([text], { type }));
    const link = document.createElement('a');
    link.href = url;
    link.download = name;
    link.click();
    // The browser opens the file only after a moment.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    return new Promise((done) => setTimeout(done, BETWEEN_FILES_MS));
  });
}
