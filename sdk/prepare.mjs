// Builds dist/ (ES modules and their types) whenever the package is installed from its folder or packed. Needs nothing but Node and
// npm: where compiler and bundler are missing, as in a fresh clone, they are installed into this folder first.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const COMPILER = 'node_modules/typescript/bin/tsc';
const BUNDLER = 'node_modules/esbuild/package.json';
/** Options of the outer `npm install` that would keep the inner one from installing the compiler. */
const NOT_OURS =
  /^npm_config_(?!registry$|cache$|prefer_offline$|offline$|userconfig$|globalconfig$|.*proxy$|cafile$|ca$|strict_ssl$)/i;

process.chdir(fileURLToPath(new URL('.', import.meta.url)));
if (![COMPILER, BUNDLER].every(existsSync)) npm('ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund');
rmSync('dist', { recursive: true, force: true });
run(process.execPath, COMPILER, '-p', 'tsconfig.build.json');
await (await import('./bundle.mjs')).bundle('dist');

/** By the npm that runs this script, if it is one; other package managers need npm in the path. */
function npm(...args) {
  const { npm_execpath: path = '' } = process.env;
  if (/npm-cli\.[cm]?js$/.test(path)) run(process.execPath, path, ...args);
  else run('npm', ...args);
}

function run(command, ...args) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_OURS.test(name) && name !== 'NODE_ENV'));
  const { status, error } = spawnSync(command, args, {
    stdio: 'inherit',
    env,
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (status === 0) return;
  console.error(`expected '${[command, ...args].join(' ')}' to succeed, but it ended with ${error?.message ?? status}`);
  process.exit(1);
}
