/** What each entry costs an app, as esbuild bundles it: minified, and compressed by gzip -9. */
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

/** What an app imports → bytes at most. Of the other entries, what they add to the core. */
const BUDGETS: [entry: string, contents: string, most: number][] = [
  ['core', `export { connect, StepwireError } from './src/index.js'`, 7_700],
  ['core with all exports', `export * from './src/index.js'`, 7_800],
  ['lists', `export * from './src/lists.js'`, 1_400],
  ['task', `export * from './src/task.js'`, 700],
  ['visitor', `export * from './src/visitor.js'`, 900],
  ['react', `export * from './src/react.js'`, 2_650],
  ['forms', `export * from './src/forms.js'`, 3_072],
  ['sse', `export * from './src/sse.js'`, 1_850],
  ['debug', `export * from './src/debug.js'`, 1_300],
];

async function sizeOf(contents: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: '.', loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    external: ['react'],
  });
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
}

test.each(BUDGETS)('%s: small enough', async (entry, contents, most) => {
  const size = await sizeOf(contents);
  console.info(`${entry}: ${size} bytes`);
  expect(size, `${entry} has ${size} bytes`).toBeLessThanOrEqual(most);
});
