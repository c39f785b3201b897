// Tries a draft beside its canvas: users with roles, forms, the clock, tokens, a subprocess that is published; a version that is not
// saved anywhere. What was done is saved as a scenario, which `stepwire test` replays. TOKENS holds a token for each user, as JSON.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseUrl, play, shots } from './chromium.mjs';

const tokens = JSON.parse(process.env.TOKENS ?? '{}');
const problems = (page, part) => page.getByTestId('problem-count').filter({ hasText: part }).waitFor();
const trial = (page, name) => page.getByTestId(`trial-${name}`);

async function ask(path, init = {}) {
  const headers = { authorization: `Bearer ${tokens.dora}`, ...init.headers };
  return fetch(`${baseUrl()}${path}`, { ...init, headers });
}

async function replay(page, button, expected) {
  const downloads = [];
  const note = (download) => downloads.push(download);
  page.on('download', note);
  await trial(page, button).click();
  // One that comes between a look and the wait is seen by the next look.
  for (let looks = 0; downloads.length < expected && looks < expected; looks++) {
    await page.waitForEvent('download', { timeout: 10_000 }).catch(() => undefined);
  }
  page.off('download', note);
  assert.equal(downloads.length, expected, 'files that were saved');
  const folder = mkdtempSync(join(tmpdir(), 'scenario-'));
  for (const download of downloads) await download.saveAs(join(folder, download.suggestedFilename()));
  const [file] = downloads.map((one) => one.suggestedFilename()).filter((name) => name.endsWith('.yaml'));
  const told = execFileSync(process.env.STEPWIRE_PROGRAM, ['test', join(folder, file)], { encoding: 'utf8' });
  assert.match(told, /^good/m);
  return readFile(join(folder, file), 'utf8');
}

/** Messages and signals come from outside: an event waits for one of each, and tokens are as many as the activities say. */
async function events(page) {
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByTestId('import').click()]);
  await chooser.setFiles('tried-events.bpmn');
  await page.locator('#element option[value="both"]').waitFor({ state: 'attached' });
  await problems(page, 'No problems');
  await page.getByTestId('try').click();
  await trial(page, 'start').waitFor();
  await page.getByLabel('Start data').fill('{"order": {"id": "7"}}');
  await trial(page, 'start').click();
  await page.locator('.token[data-node="both"]').waitFor();

  await page.getByText('Publish a message or signal').click();
  const what = page.locator('#trial-published');
  await what.selectOption('message paid');
  await page.getByLabel('Correlation key of a message').fill('8');
  await trial(page, 'publish').click();
  await trial(page, 'said').filter({ hasText: 'Nobody waits for it.' }).waitFor();
  await page.getByLabel('Correlation key of a message').fill('7');
  await page.locator('#trial-published-data').fill('{"amount": ');
  await trial(page, 'publish').click();
  await trial(page, 'said').filter({ hasText: 'Data: expected JSON' }).waitFor();
  await page.locator('#trial-published-data').fill('{"amount": 12}');
  await trial(page, 'publish').click();
  await trial(page, 'said').filter({ hasText: 'It went to 1 instance' }).waitFor();
  await page.locator('.token[data-node="both"]').waitFor();
  await shots(page, 'trial-published');
  await what.selectOption('signal opened');
  await page.locator('#trial-published-data').fill('');
  await trial(page, 'publish').click();
  await page.locator('.token[data-node="pack"]').waitFor();
  await trial(page, 'view').getByText('12').first().waitFor();
  await page.locator('[data-action="packed"]').getByRole('button', { name: 'Run packed' }).click();
  await page.locator('.token[data-node="check"]').waitFor();
  await page.locator('[data-action="checked"]').getByRole('button', { name: 'Run checked' }).click();
  await trial(page, 'status').filter({ hasText: 'finished' }).waitFor();
  const scenario = await replay(page, 'save', 1);
  assert.match(scenario, /"outside": \{"roles":\["operator"\]\}/);
  assert.match(scenario, /"publish":\{"kind":"signal","name":"opened"\}/);
  await trial(page, 'end').click();
  await page.getByTestId('properties').waitFor();
}

/** The actions of two iterations are told apart, and each button runs that of its own. */
async function iterations(page) {
  const text = `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:stepwire="https://stepwire.dev/schema/bpmn/1.0"
    targetNamespace="x"><process id="twice" isExecutable="true"><startEvent id="start" /><userTask id="ask"><extensionElements>
    <stepwire:actions><stepwire:action name="ok" order="1" type="saveData" trigger="manual" required="mandatory" /></stepwire:actions>
    </extensionElements><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></userTask>
    <endEvent id="end" /><sequenceFlow id="f1" sourceRef="start" targetRef="ask" /><sequenceFlow id="f2" sourceRef="ask" targetRef="end" />
    </process></definitions>`;
  await page.goto(`${baseUrl()}/admin/designer/new?template=blank`);
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByTestId('import').click()]);
  await chooser.setFiles({ name: 'twice.bpmn', mimeType: 'application/xml', buffer: Buffer.from(text) });
  await page.getByTestId('saved').filter({ hasText: 'twice.bpmn is open' }).waitFor();
  await page.getByTestId('try').click();
  await trial(page, 'start').click();
  await page.locator('.token[data-node="ask"]').filter({ hasText: '2' }).waitFor();
  await trial(page, 'actions').locator('section').filter({ hasText: 'iteration 2' }).getByRole('button', { name: 'Run ok' }).click();
  await trial(page, 'nodes').getByText('iteration 2').waitFor({ state: 'detached' });
  await trial(page, 'nodes').getByText('iteration 1').waitFor();
  const scenario = await replay(page, 'save', 1);
  assert.match(scenario, /"run":"ok","node":"ask","iteration":2/);
  await secondClick(page);
}

/** Clicks while the state is still read after the last one wait for it; the same click once more counts once. */
async function secondClick(page) {
  await page.getByText('Start another instance').click();
  await trial(page, 'start').click();
  const ok = (iteration) => trial(page, 'actions').locator('section').filter({ hasText: `iteration ${iteration}` }).getByRole('button', { name: 'Run ok' });
  await ok(2).waitFor();
  let goOn;
  const held = new Promise((done) => (goOn = done));
  const looks = /\/v1\/trials\/[^/]+$/;
  const begun = page.waitForRequest(looks);
  await page.route(looks, async (route) => {
    await held;
    await route.continue();
  });
  await ok(1).click();
  await begun;
  await ok(2).click();
  await ok(2).dispatchEvent('click');
  const before = await trial(page, 'now').getAttribute('datetime');
  await trial(page, 'advance').click();
  goOn();
  await trial(page, 'status').filter({ hasText: 'finished' }).waitFor();
  await page.waitForFunction((time) => document.querySelector('[data-testid="trial-now"]').dateTime !== time, before);
  await page.unroute(looks);
  const scenario = await replay(page, 'save', 1);
  // One of the first instance, two of this one.
  assert.equal(scenario.match(/"run":"ok"/g).length, 3, scenario);
  assert.match(scenario, /"advance":"PT3600S"/);
}

/** An answer about a former trial does not touch the one that has begun since. */
async function lateAnswer(page) {
  const looks = /\/v1\/trials\/[^/]+$/;
  const steps = {};
  const [fetched, goOn, answered] = ['fetched', 'goOn', 'answered'].map((name) => new Promise((done) => (steps[name] = done)));
  const late = async (route) => {
    const response = await route.fetch();
    steps.fetched();
    await goOn;
    await route.fulfill({ response });
    steps.answered();
  };
  await page.route(looks, late, { times: 1 });
  await Promise.all([fetched, trial(page, 'user').dispatchEvent('change')]);
  const begins = (response) => response.url().endsWith('/v1/trials');
  await Promise.all([page.waitForResponse(begins), trial(page, 'again').click()]);
  steps.goOn();
  await answered;
  await page.getByLabel('Start data').fill('{"order": {"item": "desk"}}');
  await pressed(page);
  await page.locator('.token[data-node="ask"]').waitFor();
}

/** A click counts although the panel is to be drawn between its press and its release. */
async function pressed(page) {
  await trial(page, 'start').hover();
  await page.mouse.down();
  // A user without a name is refused by a sentence, which is drawn at once.
  await trial(page, 'add-user').dispatchEvent('click');
  await page.mouse.up();
}

await play(async (browser, watch) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light', acceptDownloads: true });
  const page = watch(await context.newPage());
  await page.goto(`${baseUrl()}/sign-in`);
  await page.getByLabel('Token').fill(tokens.dora);
  await page.getByRole('main').getByRole('button', { name: 'Sign in by token' }).click();
  await page.waitForURL('**/admin/processes');
  const credit = await readFile('tried-subprocess.bpmn', 'utf8');
  const xml = { 'content-type': 'application/xml' };
  assert.equal((await ask('/v1/definitions?publish=true', { method: 'POST', headers: xml, body: credit })).status, 201);

  await page.goto(`${baseUrl()}/admin/designer/new?template=blank`);
  await problems(page, '1 warning');
  page.on('dialog', (dialog) => dialog.accept());
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByTestId('import').click()]);
  await chooser.setFiles('tried.bpmn');
  await problems(page, 'No problems');

  await page.getByTestId('try').click();
  await trial(page, 'start').waitFor();
  await shots(page, 'trial-begun');
  await page.getByLabel('Start data').fill('{"order": ');
  await trial(page, 'start').click();
  await trial(page, 'said').filter({ hasText: 'Start data: expected JSON' }).waitFor();
  await page.getByLabel('Start data').fill('{"order": {"item": "desk"}}');
  await trial(page, 'start').click();
  await page.locator('.token[data-node="ask"]').waitFor();
  await trial(page, 'messages').getByText('data').first().waitFor();
  await trial(page, 'view').getByText('"desk"').first().waitFor();

  // A form made of the action's keys, which refuses what the schema does.
  const form = page.locator('[data-action="save"]');
  await form.getByLabel('Amount').fill('-5');
  await form.getByRole('button', { name: 'Run save' }).click();
  await page.locator('.token[data-node="ask"]').waitFor();
  await form.getByLabel('Amount').fill('2500');
  await form.getByRole('button', { name: 'Run save' }).click();
  await page.locator('.token[data-node="approve"]').waitFor();
  await page.getByText('No action for this user at this step.').waitFor();

  // Two days later it reminds, and nobody had to wait.
  await trial(page, 'next').filter({ hasText: 'in 2 days' }).click();
  await trial(page, 'view').getByText('"It waits"').first().waitFor();

  await page.getByText('Add a user').click();
  await page.getByLabel('User', { exact: true }).fill('grace');
  await page.getByRole('textbox', { name: 'Roles' }).fill('chief');
  await trial(page, 'add-user').click();
  await trial(page, 'user').locator('option:checked').filter({ hasText: 'grace (chief)' }).waitFor({ state: 'attached' });
  await page.locator('[data-action="approve"]').getByRole('button', { name: 'Run approve' }).click();
  await page.locator('.token[data-node="credit"]').waitFor();
  await shots(page, 'trial');

  // The subprocess is the published one; it ends by its timer.
  await trial(page, 'next').filter({ hasText: 'in 1 hour' }).click();
  await trial(page, 'status').filter({ hasText: 'finished' }).waitFor();
  await page.locator('.token').waitFor({ state: 'detached' });
  const scenario = await replay(page, 'save', 1);
  assert.match(scenario, /^ {2}- bpmn: \|$/m);
  await replay(page, 'save-beside', 3);

  // Nothing of it is on the server.
  assert.deepEqual((await (await ask('/v1/definitions/tried')).json()).versions ?? [], []);
  await shots(page, 'trial-finished');

  await page.getByTestId('try').click();
  await page.getByTestId('element').selectOption('ask');
  await page.getByTestId('group-general').getByLabel('Name', { exact: true }).fill('Ask kindly');
  await page.getByTestId('try').click();
  await page.getByText('The model has changed').waitFor();
  await trial(page, 'again').click();
  await trial(page, 'start').waitFor();
  await page.getByText('The model has changed').waitFor({ state: 'detached' });

  // It says that it has ended when the server no longer has it.
  const [looked] = await Promise.all([
    page.waitForResponse((response) => /\/v1\/trials\/[^/]+$/.test(response.url())),
    trial(page, 'user').dispatchEvent('change'),
  ]);
  assert.equal((await ask(new URL(looked.url()).pathname, { method: 'DELETE' })).status, 204);
  await trial(page, 'said').filter({ hasText: 'The trial has ended: begin again.' }).waitFor({ timeout: 30_000 });
  await trial(page, 'again').click();
  await trial(page, 'start').waitFor();
  await lateAnswer(page);
  await trial(page, 'end').click();
  await page.getByTestId('properties').waitFor();
  await events(page);
  await iterations(page);
});
