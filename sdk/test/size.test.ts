/** What each entry costs an app: as Vite bundles what is packed, minified, and compressed by gzip -9. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';


const CORE = `export { connect, StepwireError } from './index.js'`;
/** What an app imports beside the core → bytes that it adds at most. */
const BUDGETS: [entry: string, most: number][] = [
  ['lists', 750],
  ['task', 500],
  ['visitor', 650],
  ['inherit', 256],
  ['upload', 1_200],
  ['react', 1_850],
  ['forms', 3_072],
  ['sse', 1_600],
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

/** What Vite makes of an app's imports. */
async function sizeOf(contents: string): Promise<number> {
  const app = join(dist, 'app.js');
  writeFileSync(app, contents);
  const bundled = await rolldown({ input: app, external: ['react'], treeshake: { moduleSideEffects: (id) => /app|forms/.test(id) } });
  const { output } = await bundled.generate({ format: 'esm', minify: true });
  return zipped(output[0].code);
}

test('the core has less than 6 KiB', async () => {
  const size = await sizeOf(CORE);
  writeFileSync(join(dist, 'app.js'), CORE);
  const { outputFiles } = await build({ entryPoints: [join(dist, 'app.js')], bundle: true, minify: true, format: 'esm', target: 'es2022', write: false });
  console.info(`core: ${size} bytes, by esbuild ${zipped(outputFiles[0]!.contents)}`);
  expect(size).toBeLessThan(6_144);
  expect((await sizeOf(`export * from './index.js'`)) - size).toBeLessThan(350);
});

test.each(BUDGETS)('%s: small enough', async (entry, most) => {
  const size = (await sizeOf(`${CORE}; export * from './${entry}.js'`)) - (await sizeOf(CORE));
  console.info(`${entry}: ${size} bytes`);
  expect(size, `${entry} adds ${size} bytes`).toBeLessThanOrEqual(most);
});
