import { defineConfig } from 'vite';

export default defineConfig({
  // A port of its own: the server is another origin, as it is for most apps while they are being written.
  server: { port: 5173, host: '127.0.0.1', fs: { allow: ['../..'] } },
  // The client is linked from the folder of its sources, which has React for its own tests.
  resolve: { dedupe: ['react', 'react-dom'] },
  build: { rolldownOptions: { input: ['index.html', 'forms.html', 'attachment.html'] } },
});
