// Plays the examples of the client, each as a page of a port of its own that asks the server across origins: the wizard in plain
// TypeScript through a killed server and a step back, the one with React, the inbox with two clerks, and the dashboard of an operator.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { baseUrl, checkpoint, play, shots } from './chromium.mjs';

const sdk = fileURLToPath(new URL('../../sdk/', import.meta.url));
const tokens = JSON.parse(process.env.TOKENS ?? '{}');
const websocket = `${baseUrl().replace(/^http/, 'ws')}/v1/ws`;
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** Bundles the examples as an app's own tools would. */
async function bundle(out) {
  const { build } = createRequire(join(sdk, 'package.json'))('esbuild');
  const entries = ['index', 'debug', 'forms', 'inherit', 'lists', 'react', 'task', 'visitor'];
  await build({
    entryPoints: ['wizard/main.ts', 'react-wizard/main.tsx', 'inbox/main.ts', 'dashboard/main.ts'],
    absWorkingDir: join(sdk, 'examples'),
    alias: Object.fromEntries(
      entries.map((entry) => [entry === 'index' ? '@stepwire/client' : `@stepwire/client/${entry}`, join(sdk, 'src', `${entry}.ts`)]),
    ),
    define: { 'process.env.NODE_ENV': '"development"' },
    outbase: join(sdk, 'examples'),
    outdir: out,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
  });
}

/** The pages and their bundles; nothing else is there. */
async function serve(out) {
  const server = createServer(async ({ url }, response) => {
    const path = new URL(url, 'http://x').pathname.replace(/\/$/, '/index.html');
    const file = join(extname(path) === '.js' ? out : join(sdk, 'examples'), path);
    const body = await readFile(file).catch(() => undefined);
    const type = body ? TYPES[extname(path)] : 'text/plain';
    response.writeHead(body ? 200 : path === '/favicon.ico' ? 204 : 404, { 'content-type': type }).end(body);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { server, pages: `http://127.0.0.1:${server.address().port}` };
}

async function open(browser, watch, address) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  const page = watch(await context.newPage());
  await page.goto(address);
  return page;
}

const heading = (page, name) => page.getByRole('heading', { name, exact: true }).waitFor();
const send = (page) => page.getByRole('button', { name: 'Send' }).click();

/** The wizard up to the office, through what may go wrong on the way. */
async function wizard(page) {
  await heading(page, 'Who travels');
  await page.getByLabel('Name').fill('A');
  await page.getByLabel('E-mail').fill('nonsense');
  await send(page);
  // In the browser's own words.
  assert.equal(await page.locator('[part="error"]').evaluateAll((errors) => errors.filter((error) => error.textContent).length), 2);
  assert.equal(await page.evaluate(() => document.querySelector('stepwire-form').shadowRoot.activeElement.name), 'traveller.name');
  await shots(page, 'example-wizard-invalid');
  await page.getByLabel('Name').fill('Ada');
  await page.getByLabel('E-mail').fill('ada@example.org');
  await checkpoint('kill the server while something is typed');
  assert.equal(await page.getByLabel('Name').inputValue(), 'Ada');
  await send(page);

  await heading(page, 'Where to');
  await page.getByLabel('City').selectOption('Oslo');
  await page.getByLabel('First day').fill('2030-05-17');
  await page.getByLabel('Nights').fill('3');
  await shots(page, 'example-wizard');
  await send(page);
  await heading(page, 'Review');
  await page.getByText('Ada, 3 nights in Oslo').waitFor();

  await page.getByRole('button', { name: '← Where to' }).click();
  await heading(page, 'Where to');
  assert.equal(await page.getByLabel('Nights').inputValue(), '3');
  await page.getByLabel('Nights').fill('4');
  await send(page);
  await heading(page, 'Review');
  await page.getByText('Ada, 4 nights in Oslo').waitFor();
  await page.reload();
  await heading(page, 'Review');
  await page.getByLabel('All of this is correct').check();
  await send(page);
  await heading(page, 'Sent');
}

async function reactWizard(page) {
  await heading(page, 'Who travels');
  await page.getByLabel('Name').fill('G');
  await page.getByLabel('E-mail').fill('grace@example.org');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('alert').waitFor();
  await page.getByLabel('Name').fill('Grace');
  await page.getByRole('button', { name: 'Next' }).click();
  await heading(page, 'Where to');
  await page.getByLabel('City').selectOption('Vienna');
  await page.getByLabel('First day').fill('2030-06-01');
  await page.getByLabel('Nights').fill('2');
  await page.getByRole('button', { name: 'Next' }).click();
  await heading(page, 'Review');
  await page.getByRole('button', { name: '← Who travels' }).click();
  await heading(page, 'Who travels');
  assert.equal(await page.getByLabel('Name').inputValue(), 'Grace');
  await page.getByLabel('Name').fill('Grace Hopper');
  await page.getByRole('button', { name: 'Next' }).click();
  await heading(page, 'Where to');
  await page.getByRole('button', { name: 'Next' }).click();
  await heading(page, 'Review');
  await page.getByText('Grace Hopper, 2 nights in Vienna').waitFor();
  await shots(page, 'example-react-wizard');
  await page.getByRole('button', { name: 'All of this is correct' }).click();
  await heading(page, 'Sent');
}

/** Two clerks: one takes the task and decides; what the other has typed stays, and the other is told why. */
async function decide(bob, visitor, tablet) {
  await bob.getByRole('button', { name: 'Claim' }).first().waitFor();
  await bob.getByRole('button', { name: 'Claim' }).first().click();
  await bob.getByLabel('Granted').selectOption('Yes');
  await bob.getByLabel('Comment').fill('Have a good time.');
  await shots(bob, 'example-inbox');
  // On another device it goes on where it was left, and says who else is there.
  await tablet.getByRole('button', { name: 'Open' }).click();
  await tablet.waitForFunction(() => document.querySelector('stepwire-form').shadowRoot.querySelector('[name="decision.comment"]')?.value === 'Have a good time.');
  await tablet.getByText('bob ').first().waitFor();
  await shots(tablet, 'example-inbox-draft');
  const element = await bob.evaluate(() => document.querySelector('stepwire-form').instance.nodes.get()[0].element);
  const [instance] = element.split(/-(?=\d+$)/);
  const assigned = await fetch(`${baseUrl()}/v1/instances/${instance}/assign`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokens.root}`, 'content-type': 'application/json' },
    body: JSON.stringify({ element, user: 'ben' }),
  });
  assert.ok(assigned.ok, await assigned.text());
  await bob.getByText('Somebody else has this task; what you typed is kept.').waitFor();
  assert.equal(await bob.getByLabel('Comment').inputValue(), 'Have a good time.');
  await shots(bob, 'example-inbox-taken');
  const back = await fetch(`${baseUrl()}/v1/instances/${instance}/assign`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokens.root}`, 'content-type': 'application/json' },
    body: JSON.stringify({ element, user: 'bob' }),
  });
  assert.ok(back.ok, await back.text());
  await bob.getByRole('button', { name: 'Send' }).and(bob.locator(':enabled')).waitFor();
  await send(bob);
  await heading(visitor, 'Decided');
  await visitor.getByText('Granted. Have a good time.').waitFor();
}

/** What the dashboard shows of the trips: running and ended, by itself. */
async function trips(page, running, newest) {
  await page.locator('tr', { hasText: /^Trip request/ }).filter({ has: page.getByRole('cell', { name: String(running), exact: true }) }).first().waitFor();
  await page.getByRole('table', { name: 'Newest instances' }).locator('tbody tr').first().filter({ hasText: newest }).waitFor();
}

await play(async (browser, watch) => {
  const out = await mkdtemp(join(tmpdir(), 'stepwire-examples-'));
  await bundle(out);
  const { server, pages } = await serve(out);
  const deployed = await fetch(`${baseUrl()}/v1/definitions?publish=true`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokens.root}`, 'content-type': 'application/json' },
    body: await readFile(join(sdk, 'examples/trip.json')),
  });
  assert.ok(deployed.ok, await deployed.text());
  const dashboard = await open(browser, watch, `${pages}/dashboard/#server=${websocket}&token=${tokens.olga}`);
  await dashboard.getByText('Started within an hour').waitFor();
  const visitor = await open(browser, watch, `${pages}/wizard/?server=${websocket}`);
  await wizard(visitor);
  await trips(dashboard, 1, /trip.*started/);
  const bob = await open(browser, watch, `${pages}/inbox/#server=${websocket}&token=${tokens.bob}`);
  const tablet = await open(browser, watch, `${pages}/inbox/#server=${websocket}&token=${tokens.bob}`);
  await decide(bob, visitor, tablet);
  await dashboard.locator('tr', { hasText: /^Trip request/ }).waitFor({ state: 'detached' });
  await reactWizard(await open(browser, watch, `${pages}/react-wizard/?server=${websocket}`));
  await trips(dashboard, 1, /trip.*started/);
  await shots(dashboard, 'example-dashboard');
  // Who is no operator is told so.
  const curious = await open(browser, watch, `${pages}/dashboard/#server=${websocket}&token=${tokens.ada}`);
  await curious.getByRole('alert').filter({ hasText: 'operator' }).waitFor();
  server.close();
  await rm(out, { recursive: true });
});
