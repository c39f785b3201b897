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
    // Nothing but an answer shows that it listens; `play` limits the wait.
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

async function post(path, user, body) {
  const headers = { authorization: `Bearer ${tokens[user]}`, 'content-type': 'application/json' };
  const answer = await fetch(`${baseUrl()}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${path}: ${await answer.clone().text()}`);
  return answer.json();
}

/** A step that accepts a file: errors of size or type are shown at its input, and the module that sends it is loaded when needed. */
async function attachment(page, pages) {
  const loaded = [];
  page.on('request', (request) => loaded.push(request.url()));
  await page.goto(`${pages}/attachment.html?server=${websocket}`);
  await heading(page, 'Your paper');
  await page.getByText('≤ 5000 kB').waitFor();
  const [file, error] = [page.getByLabel('File'), page.locator('[part~="field"]').filter({ has: page.getByLabel('File') }).locator('[part="error"]')];
  const send = page.getByRole('button', { name: 'Send' });
  const sender = () => loaded.filter((url) => /\/upload\.(js|ts)|client_upload/.test(url)).length;
  assert.equal(await file.getAttribute('accept'), 'text/*,image/*,application/pdf');
  await page.getByLabel('Note').fill('Proof');
  await send.click();
  await error.filter({ hasText: /./ }).waitFor();
  assert.equal(sender(), 0, loaded.join('\n'));

  await file.setInputFiles({ name: 'large.txt', mimeType: 'text/plain', buffer: Buffer.alloc(5_000_001, 'x') });
  await send.click();
  await error.filter({ hasText: 'expected a file of at most 5000000 bytes' }).waitFor();
  assert.equal(sender(), 1, loaded.join('\n'));
  await file.setInputFiles({ name: 'run.sh', mimeType: 'application/x-sh', buffer: Buffer.from('x') });
  await send.click();
  await error.filter({ hasText: 'application/x-sh' }).waitFor();
  await pictures(page, 'attachment');

  // The progress is shown meanwhile; typed input is kept.
  await page.evaluate(() => {
    const form = document.querySelector('stepwire-form');
    const progress = form.shadowRoot.querySelector('progress');
    window.seen = [];
    new MutationObserver(() => window.seen.push([progress.hidden, progress.value, progress.max])).observe(progress, { attributes: true });
  });
  await file.setInputFiles({ name: 'paper.txt', mimeType: 'text/plain', buffer: Buffer.alloc(3_000_000, 'x') });
  await send.click();
  await heading(page, 'Check');
  await page.getByText('paper.txt, 3,000,000 bytes. Proof').waitFor();
  // The step may be told on the websocket before the upload has its answer.
  await page.waitForFunction(() => window.seen.at(-1)?.[0]);
  const seen = await page.evaluate(() => window.seen);
  assert.ok(seen.some(([hidden, value, max]) => !hidden && value > 0 && max === 3_000_000), JSON.stringify(seen));
  await send.click();
  await heading(page, 'Handed in');
}

await play(async (browser, watch) => {
  for (const process of ['../trip.json', 'attachment.json']) await post('/v1/definitions?publish=true', 'root', JSON.parse(await readFile(`${folder}${process}`, 'utf8')));
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
  await attachment(watch(await context.newPage()), pages);
  const three = watch(await context.newPage());
  await three.goto(`${pages}/forms.html?server=${websocket}`);
  await forms(three);
});
