/** The size of each entry in an app: packed, bundled and minified by Vite's bundler and by esbuild, and compressed by gzip -9. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';

const CORE = `export { connect, StepwireError } from './index.js'`;
/** Import beside the core → the maximum number of bytes that it adds, by the bundler with the larger result. */
const BUDGETS: [entry: string, most: number][] = [
  ['lists', 770],
  ['task', 450],
  ['visitor', 700],
  ['inherit', 256],
  ['upload', 1_250],
  ['react', 1_900],
  ['forms', 3_072],
  ['sse', 2_050],
  ['debug', 1_150],
];
let dist = '';

beforeAll(async () => {
  dist = mkdtempSync(join(tmpdir(), 'stepwire-size-'));
  // A script without types.
  const { bundle } = await import('../bundle.mjs' as string);
  await bundle(dist);
});
afterAll(() => rmSync(dist, { recursive: true }));

const zipped = (code: string | Uint8Array) => gzipSync(code, { level: 9 }).length;

/** A file that a bundler made, and those that it needs at once: others are loaded when they are needed. */
type Made = Map<string, { code: string; imports: string[] }>;

function loaded(made: Made, file: string, seen = new Set<string>()): number {
  const { code, imports } = made.get(file)!;
  seen.add(file);
  return zipped(code) + imports.reduce((sum, one) => sum + (seen.has(one) || !made.has(one) ? 0 : loaded(made, one, seen)), 0);
}

/** The bytes that an app with these imports loads at once, by either bundler. */
async function sizesOf(contents: string): Promise<{ rolldown: number; esbuild: number }> {
  const app = join(dist, 'app.js');
  writeFileSync(app, contents);
  const bundled = await rolldown({ input: app, external: ['react'], treeshake: { moduleSideEffects: (id) => /app|forms/.test(id) } });
  const { output } = await bundled.generate({ format: 'esm', minify: true });
  const byRolldown: Made = new Map(output.flatMap((one) => (one.type === 'chunk' ? [[one.fileName, one] as const] : [])));
  const { outputFiles, metafile } = await build({
    absWorkingDir: dist,
    entryPoints: [app],
    external: ['react'],
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    outdir: 'bundled',
    write: false,
    metafile: true,
  });
  const byEsbuild: Made = new Map(
    outputFiles.map(({ path, text }) => {
      const name = relative(dist, path);
      const imports = metafile.outputs[name]!.imports.filter(({ kind }) => kind === 'import-statement');
      return [name, { code: text, imports: imports.map((one) => one.path) }];
    }),
  );
  return { rolldown: loaded(byRolldown, output[0].fileName), esbuild: loaded(byEsbuild, join('bundled', 'app.js')) };
}

test('the core has less than 6 KiB', async () => {
  const sizes = await sizesOf(CORE);
  console.info('core:', sizes);
  expect(Math.max(sizes.rolldown, sizes.esbuild)).toBeLessThan(6_144);
  const whole = await sizesOf(`export * from './index.js'`);
  console.info('with all that the first entry exports:', whole);
  expect(Math.max(whole.rolldown, whole.esbuild)).toBeLessThan(6_400);
});

test.each(BUDGETS)('%s: small enough', async (entry, most) => {
  const [core, both] = [await sizesOf(CORE), await sizesOf(`${CORE}; export * from './${entry}.js'`)];
  const adds = { rolldown: both.rolldown - core.rolldown, esbuild: both.esbuild - core.esbuild };
  console.info(`${entry}:`, adds);
  expect(Math.max(adds.rolldown, adds.esbuild), `${entry} adds too much`).toBeLessThanOrEqual(most);
});
