import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const src = (file: string) => fileURLToPath(new URL(`src/${file}.ts`, import.meta.url));

/** The examples import the client by its name, as apps do. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@stepwire\/client$/, replacement: src('index') },
      { find: /^@stepwire\/client\/(.+)$/, replacement: src('$1') },
    ],
  },
});
