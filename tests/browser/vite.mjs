// Plays the example that Vite serves on a port of its own: the page that shows what is decided about its origin, and one action as
// three forms that read the same schema. TOKENS holds a token for each user, as JSON.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createServer } from 'node:net';
import { baseUrl, play, shot, shots } from './chromium.mjs';

const tokens = JSON.parse(process.env.TOKENS ?? '{}');
const folder = fileURLToPath(new URL('../../sdk/examples/vite/', import.meta.url));
const websocket = `${baseUrl().replace(/^http/, 'ws')}/v1/ws`;

async function freePort() {
  const probe = createServer();
  await new Promise((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  return port;
}

/** Starts Vite's development server; resolves to its address when that answers. What it says is for people, and coloured for some. */
async function vite() {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, ['node_modules/vite/bin/vite.js', '--port', String(port), '--strictPort'], { cwd: folder });
  process.on('exit', () => child.kill());
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  while (child.exitCode === null && child.signalCode === null) {
    const answer = await fetch(address).catch(() => undefined);
    if (answer?.ok) return address;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`expected Vite to serve ${address}, but it ended with ${child.exitCode ?? child.signalCode}: ${said}`);
}

const heading = (page, name) => page.getByRole('heading', { name, exact: true }).waitFor();

/** Pictures of the three forms at both widths. */
async function pictures(page, name) {
  await shots(page, name);
  for (const width of [400, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await shot(page, `${name}-${width}`);
  }
}

async function forms(page) {
  await heading(page, 'saveTraveller');
  const [native, rjsf, jsonForms] = ['Native', 'react-jsonschema-form', 'JSON Forms'].map((name) => page.getByRole('region', { name, exact: true }));
  const filled = async (form, values) => {
    for (const [label, value] of Object.entries(values)) await form.getByLabel(label).fill(value);
  };
  // Each of them refuses by the same schema: the browser's words, Ajv's, Ajv's again.
  await filled(native, { Name: 'A', 'E-mail': 'ada@example.org' });
  await native.getByRole('button', { name: 'Send' }).click();
  await native.locator('[part="error"]').filter({ hasText: /./ }).first().waitFor();
  await filled(rjsf, { Name: 'A', 'E-mail': 'ada@example.org' });
  await rjsf.getByRole('button', { name: 'Submit' }).click();
  await rjsf.getByText('must NOT have fewer than 2 characters').waitFor();
  await jsonForms.getByRole('button', { name: 'Send' }).click();
  await jsonForms.getByText('is a required property').first().waitFor();
  await heading(page, 'saveTraveller');
  await pictures(page, 'forms');

  // Each of them sends a step.
  await native.getByLabel('Name').fill('Ada');
  await native.getByRole('button', { name: 'Send' }).click();
  await heading(page, 'saveTrip');
  await rjsf.getByLabel('City').selectOption({ label: 'Oslo' });
  await filled(rjsf, { 'First day': '2030-05-17', Nights: '3' });
  await pictures(page, 'forms-trip');
  await rjsf.getByRole('button', { name: 'Submit' }).click();
  await heading(page, 'confirm');
  await jsonForms.getByLabel('All of this is correct').check();
  await jsonForms.getByRole('button', { name: 'Send' }).click();
  await heading(page, 'Sent');
}

/** A task that takes a file. */
const PAPERS = {
  id: 'papers',
  nodes: [
    { id: 'start', type: 'startEvent' },
    { id: 'bring', type: 'userTask', actions: [{ name: 'bring', type: 'uploadFile', trigger: 'manual', params: { destination: 'paper', maxBytes: 4000000 } }] },
    { id: 'end', type: 'endEvent' },
  ],
  flows: [
    { id: 'f1', source: 'start', target: 'bring' },
    { id: 'f2', source: 'bring', target: 'end' },
  ],
};

async function post(path, user, body) {
  const headers = { authorization: `Bearer ${tokens[user]}`, 'content-type': 'application/json' };
  const answer = await fetch(`${baseUrl()}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${path}: ${await answer.clone().text()}`);
  return answer.json();
}

/** From a page of another origin, with the progress that only a browser tells. */
async function uploads(page) {
  await post('/v1/definitions?publish=true', 'root', PAPERS);
  const { instance } = await post('/v1/instances', 'ada', { process: 'papers' });
  const size = 3_000_000;
  const { sent, progress } = await page.evaluate(
    async ({ instance, url, token, size }) => {
      const { uploader } = await import('/@id/@stepwire/client/upload');
      const progress = [];
      const upload = uploader({ url, getToken: () => token });
      const file = new File(['x'.repeat(size)], 'paper.txt', { type: 'text/plain' });
      const follows = { key: instance, actions: { get: () => [] } };
      const sent = await upload(follows, 'bring', file, { onProgress: (bytes, total) => progress.push([bytes, total]) });
      return { sent, progress };
    },
    { instance, url: websocket, token: tokens.ada, size },
  );
  assert.deepEqual([sent.file.name, sent.file.size, sent.status], ['paper.txt', size, 'finished']);
  assert.deepEqual(progress.at(-1), [size, size]);
}

await play(async (browser, watch) => {
  await post('/v1/definitions?publish=true', 'root', JSON.parse(await readFile(`${folder}../trip.json`, 'utf8')));
  const pages = await vite();
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  const page = watch(await context.newPage());
  await page.goto(`${pages}/?server=${websocket}`);
  await heading(page, `${pages} → ${baseUrl()}`);
  await page.getByText('Websocket: live').waitFor();
  await page.getByText('REST: started at “Who travels”').waitFor();
  await page.getByLabel('Name').fill('Ada');
  await page.getByLabel('E-mail').fill('ada@example.org');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByText('REST: started at “Where to”').waitFor();
  await shots(page, 'example-vite');
  await uploads(page);
  const three = watch(await context.newPage());
  await three.goto(`${pages}/forms.html?server=${websocket}`);
  await forms(three);
});
