import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The examples import the client by its name, as apps do. */
export default defineConfig({
  resolve: { alias: { '@stepwire/client': fileURLToPath(new URL('src/index.ts', import.meta.url)) } },
});
