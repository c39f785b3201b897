import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { build } from 'vite';

/** Of all that `connect` brings along, minified and gzipped as in an app. */
const BUDGET = 9 * 1024;

test('an app gets little to load', async () => {
  const rollupOptions = { input: 'src/client.ts', preserveEntrySignatures: 'strict' as const };
  const built = await build({ logLevel: 'silent', build: { write: false, minify: true, target: 'es2022', rollupOptions } });
  const chunks = [built].flat().flatMap((result) => ('output' in result ? result.output : []));
  const code = chunks.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('');
  expect(code).toContain('stepwire.v1.json');
  const size = gzipSync(code, { level: 9 }).length;
  console.info(`the client has ${size} bytes`);
  expect(size, `${size} bytes`).toBeLessThan(BUDGET);
});
