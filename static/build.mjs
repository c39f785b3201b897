// Bundles the pages: node build.mjs [OUT]. Writes hashed files, `manifest.json` (entry → its js and css) and the notices of the
// third-party packages that went into the bundle.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const out = process.argv[2] ?? 'dist';

const { metafile } = await build({
  entryPoints: ['app.css', 'docs.css', 'demo.ts', 'designer.ts', 'instance.ts', 'instances.ts', 'operations.ts', 'playground.ts', 'processes.ts', 'tasks.ts'].map(
    (file) => `src/${file}`,
  ),
  alias: Object.fromEntries(
    ['index', 'debug', 'forms', 'inherit', 'lists', 'task', 'visitor'].map((entry) => [
      entry === 'index' ? '@stepwire/client' : `@stepwire/client/${entry}`,
      `../sdk/src/${entry}.ts`,
    ]),
  ),
  outdir: out,
  bundle: true,
  minify: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  entryNames: '[name]-[hash]',
  chunkNames: 'chunk-[hash]',
  // The icon font is a file of its own, in the one form that every browser with modules reads.
  loader: { '.bpmn': 'text', '.woff2': 'file', '.woff': 'empty', '.ttf': 'empty', '.eot': 'empty', '.svg': 'empty' },
  assetNames: '[name]-[hash]',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});

const manifest = {};
for (const [file, { entryPoint, cssBundle }] of Object.entries(metafile.outputs)) {
  if (!entryPoint) continue;
  const name = basename(entryPoint).replace(/\.\w+$/, '');
  manifest[name] = file.endsWith('.css')
    ? { css: basename(file) }
    : { js: basename(file), css: cssBundle && basename(cssBundle) };
}
writeFileSync(join(out, 'manifest.json'), JSON.stringify(manifest, null, 1));
writeFileSync(join(out, 'third-party-notices.txt'), notices(metafile));

/** The licence text of every package of which something is in the bundle. */
function notices({ outputs }) {
  const used = Object.values(outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0),
  );
  const folders = new Set(used.map((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]).filter(Boolean));
  return [...folders].sort().map(notice).join('\n');
}

function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : `Licence: ${license}\n`;
  return `==== ${name} ${version} (${license}) ====\n${text}`;
}
