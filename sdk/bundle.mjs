// The package's modules as apps get them: an ES module for each entry and chunks that entries share, readable and with source maps.
// Names that begin with an underscore are the package's own and are shortened, the same name the same way in all of them.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const entries = Object.values(exports).flatMap((entry) => (entry.default ? [entry.default.replace('dist', 'src').replace(/js$/, 'ts')] : []));

/** Writes them into `outdir`. */
export const bundle = (outdir) =>
  build({
    absWorkingDir: fileURLToPath(new URL('.', import.meta.url)),
    entryPoints: entries,
    outdir,
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    target: 'es2022',
    sourcemap: true,
    mangleProps: /^_/,
    minifySyntax: true,
  });
