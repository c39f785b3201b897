/** The code of the documentation about the client has sound types: each block of TypeScript is compiled by itself. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const PAGES = ['README.md', '../README.md', '../docs/guide.md', '../docs/dev-server.md'];

/** What an app has beside the code that is shown. */
const AROUND = `
import type { AvailableAction, Client, Instance, Presence } from '@stepwire/client';
declare global {
  const url: string, key: string, element: string;
  const getToken: () => Promise<string>;
  const render: (shown: unknown) => void, buttons: (shown: unknown) => void, next: () => void;
  const showWhoElse: (users: readonly Presence[]) => void;
  const page: HTMLElement, form: HTMLFormElement, bar: HTMLProgressElement;
  const read: (form: HTMLFormElement) => { granted: boolean };
  const input: { files: File[] };
  const signal: AbortSignal;
  const client: Client, instance: Instance, action: AvailableAction;
}
`;
const STEPWIRE = `
import type { Processes as Examples } from './processes.js';
export interface Processes extends Examples {
  booking: { start: Record<string, never>; view: { summary?: string }; actions: Record<string, object> };
}
`;
/** Where a name comes from that a block uses without importing it, because a block before it has. */
const IMPORTS: Record<string, string> = {
  connect: '@stepwire/client',
  Processes: './processes.js',
  openAccount: './page.js',
  Account: './account.js',
  visitor: '@stepwire/client/visitor',
  localTokenStore: '@stepwire/client/visitor',
  StepwireProvider: '@stepwire/client/react',
  createRoot: 'react-dom/client',
};

function blocks(page: string): string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^```tsx?\n(.*?)^```$/gms)].map(([, code]) => code!);
}

/** A block as a module of its own. */
function complete(code: string): string {
  const isImported = (name: string) => new RegExp(`import[^;\\n]*\\b${name}\\b|function ${name}\\b`).test(code);
  const missing = Object.entries(IMPORTS).filter(([name]) => new RegExp(`\\b${name}\\b`).test(code) && !isImported(name));
  const imports = missing.map(([name, from]) => `import ${name === 'Processes' ? 'type ' : ''}{ ${name} } from '${from}';\n`);
  return `${imports.join('')}${code}\nexport {};\n`;
}

test('every block of the pages about the client compiles', async () => {
  // There, so that the packages are found.
  mkdirSync('node_modules', { recursive: true });
  const folder = mkdtempSync(join('node_modules', '.snippets-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ['processes.ts', 'page.ts', 'account.tsx']) cpSync(`examples/${name}`, join(folder, name));
  writeFileSync(join(folder, 'around.d.ts'), AROUND);
  writeFileSync(join(folder, 'stepwire.ts'), STEPWIRE);
  const files = PAGES.flatMap((page) =>
    blocks(page).map((code, index) => {
      const file = `${page.replaceAll(/\W+/g, '_')}${index + 1}.tsx`;
      writeFileSync(join(folder, file), complete(code));
      return file;
    }),
  );
  expect(files.length).toBeGreaterThan(14);
  const options = { noUnusedLocals: false, noUncheckedIndexedAccess: false };
  const config = { extends: '../../tsconfig.json', compilerOptions: options, include: [], files: [...files, 'around.d.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const compiler = [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', folder];
  const told = await promisify(execFile)(process.execPath, compiler).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  );
  expect(told).toBe('');
}, 60_000);
