// Draws a process with the keyboard, sees problems and jumps to them, saves, meets another designer, publishes; imports broken and
// good files, and manages versions. TOKENS holds a token for each user, as JSON.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { baseUrl, checkpoint, play, shots } from './chromium.mjs';

const tokens = JSON.parse(process.env.TOKENS ?? '{}');
const said = (page, part) => page.getByTestId('saved').filter({ hasText: part }).waitFor();
const problems = (page, part) => page.getByTestId('problem-count').filter({ hasText: part }).waitFor();
const action = (page, name) => page.locator(`[data-testid="action"][data-action="${name}"]`);
const labels = (place) =>
  place
    .locator('label, legend:not(.visually-hidden), .label')
    .evaluateAll((all) => all.filter((one) => !one.closest('.try-out')).map((one) => one.textContent.trim()));

async function ask(user, path, init = {}) {
  const headers = { authorization: `Bearer ${tokens[user]}`, ...init.headers };
  return fetch(`${baseUrl()}${path}`, { ...init, headers });
}

async function signIn(browser, watch, user) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: 'light',
    acceptDownloads: true,
  });
  const page = watch(await context.newPage());
  await page.goto(`${baseUrl()}/sign-in`);
  await page.getByLabel('Token').fill(tokens[user]);
  await page.getByRole('main').getByRole('button', { name: 'Sign in by token' }).click();
  return page;
}

/** From the list to an empty canvas, and there everything by keyboard. */
async function draw(page) {
  await page.getByTestId('template').selectOption('blank');
  await shots(page, 'processes');
  await page.getByTestId('new').click();
  await problems(page, '1 warning');
  // Nothing is selected: the first one follows the start event, which is the open end.
  for (const [entry, name] of [
    ['create.user-task', 'Ask'],
    ['create.end-event', 'Done'],
  ]) {
    await page.locator(`.djs-palette [data-action="${entry}"]`).focus();
    await page.keyboard.press('Enter');
    await page.getByTestId('group-general').getByLabel('Name', { exact: true }).fill(name);
    await page.keyboard.press('Tab');
    await page.keyboard.type(name.toLowerCase());
    await page.keyboard.press('Tab');
    await page.locator('#element option:checked').filter({ hasText: name }).waitFor({ state: 'attached' });
  }
  await page.getByTestId('element').selectOption('ask');
}

/** Every field of the action editor, by its name and in its order, and only what applies. */
async function editActions(page) {
  await page.getByTestId('add-action').click();
  const added = page.getByTestId('action').last();
  // What was added is in view, and its name has the focus.
  const name = added.getByLabel('Name', { exact: true });
  await page.waitForFunction(() => document.activeElement?.dataset.field?.endsWith('/name'));
  assert.ok(await name.evaluate((input) => input === document.activeElement && input.getBoundingClientRect().bottom < innerHeight));
  await name.fill('show');
  await added.getByLabel('Timer expression').fill('30s');
  await added.getByText('expected an ISO 8601 duration').waitFor();
  await added.getByLabel('Timer expression').fill('PT30S');
  await added.getByText('30 seconds').waitFor();
  await added.getByLabel('Timer expression').fill('');
  await page.keyboard.press('Tab');
  const fields = [
    'Name',
    'Order',
    'Timer expression',
    'Action type',
    'Trigger type',
    'Required type',
    'Repeatable',
    'Autorun children',
  ];
  assert.deepEqual(await labels(added), [...fields, 'Message type', 'Message', 'Target process']);
  await added.getByLabel('Message', { exact: true }).fill('{"name": ${');
  await added.locator('.error').filter({ hasText: 'expected } behind ${' }).waitFor();
  await problems(page, '1 error');

  await page.getByTestId('element').selectOption('start');
  await page.getByTestId('problem-list').locator('button').filter({ hasText: 'message' }).click();
  assert.equal(await page.evaluate(() => document.activeElement.dataset.field), 'action/0/message');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('{"client": "${client.firstName}"}');
  await problems(page, 'No problems');
  await page.getByText('Preview', { exact: true }).click();
  await page.getByLabel('Sample data').fill('{"client": {"firstName": "Ada"}}');
  await page.getByTestId('preview').getByText('"client": "Ada"').waitFor();

  await page.getByTestId('add-action').click();
  const save = page.getByTestId('action').last();
  await save.getByLabel('Name', { exact: true }).fill('save');
  await save.getByLabel('Trigger type').selectOption('manual');
  await save.getByLabel('Action type').selectOption('saveData');
  await save.getByLabel('Allow BACK on this action').check();
  await save.getByLabel('Restart from snapshot').waitFor();
  const manual = [
    ...fields,
    'Parent action',
    'Back in steps',
    'Allow BACK on this action',
    'Restart from snapshot',
    'Restart keys',
  ];
  assert.deepEqual(await labels(save), [...manual, 'Data to send', 'Keys']);
  await save.getByRole('button', { name: 'Add a key' }).click();
  await save.getByLabel('Key', { exact: true }).fill('client.firstName');
  await save.locator('.key summary').click();
  await save.getByLabel('Type', { exact: true }).selectOption('string');
  await save.getByLabel('Label', { exact: true }).fill('First name');
  await page.keyboard.press('Tab');
  await page.waitForFunction(() =>
    [...document.querySelectorAll('textarea')].some(({ value }) => value === '{"type":"string","title":"First name"}'),
  );
  await problems(page, 'No problems');
  await shots(page, 'designer');
}

/** Undone and done again, by buttons; then lost with the window, and there again. */
async function undoAndCrash(page) {
  await page.getByTestId('undo').click();
  await page.waitForFunction(() => [...document.querySelectorAll('textarea')].some(({ value }) => value === '{"type":"string"}'));
  await page.getByTestId('redo').click();
  await said(page, 'Kept in this browser');
  await page.getByTestId('save').click();
  await said(page, 'Saved as version 1');
  assert.match(page.url(), /\/admin\/designer\/newProcess$/);
  await page.getByTestId('group-general').getByLabel('Name', { exact: true }).fill('Ask kindly');
  await said(page, 'Kept in this browser');
  page.once('dialog', (dialog) => dialog.accept());
  await page.reload();
  await page.getByTestId('news').getByText('were kept in this browser').waitFor();
  await page.getByTestId('element').selectOption('ask');
  assert.equal(await page.getByTestId('group-general').getByLabel('Name', { exact: true }).inputValue(), 'Ask kindly');
}

/** A server that is away, and a sign-in that is over, lose nothing. */
async function awayAndSignedOut(page) {
  const trouble = (part) => page.getByTestId('trouble').getByText(part).waitFor();
  await page.route('**/v1/definitions?*', (route) => route.abort('connectionrefused'));
  await page.getByTestId('save').click();
  await trouble('it cannot be reached');
  await page.unroute('**/v1/definitions?*');
  await checkpoint('restart the server');
  const cookies = await page.context().cookies();
  await page.context().clearCookies();
  await page.getByTestId('save').click();
  await trouble('Not saved: you are signed out. What you drew is kept in this browser.');
  await page.context().addCookies(cookies);
}

/** Another designer saves meanwhile: told, and nobody's work is lost. */
async function meet(page) {
  const path = '/v1/definitions/newProcess';
  const xml = await (await ask('otto', `${path}/1`, { headers: { accept: 'application/xml' } })).text();
  const other = {
    method: 'POST',
    headers: { 'content-type': 'application/xml' },
    body: xml.replace('name="Ask"', 'name="Ask twice"'),
  };
  assert.equal((await ask('otto', '/v1/definitions?base=1', other)).status, 201);
  await page.getByTestId('save').click();
  await page.getByTestId('trouble').getByText('version 2 was saved by otto meanwhile').waitFor();
  await shots(page, 'designer-conflict');
  await page.getByRole('button', { name: 'Continue with mine, as version 3' }).click();
  await said(page, 'Saved as version 3');
  await page.getByTestId('publish').click();
  await said(page, 'new instances run version 3');
  const { versions } = await (await ask('otto', path)).json();
  assert.deepEqual(
    versions.map(({ state }) => state),
    ['replaced', 'replaced', 'published'],
  );
  const started = await ask('otto', '/v1/instances', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"process":"newProcess"}',
  });
  assert.equal(started.status, 201);
}

/** What changed since the other designer's version, by words and on the canvas. */
async function compare(page) {
  await page.getByTestId('compare').click();
  await page.getByTestId('compared').selectOption('2');
  await page.getByTestId('compare-dialog').getByRole('button', { name: 'Compare' }).click();
  await page.getByTestId('difference-count').getByText('0 added, 1 changed, 0 removed').waitFor();
  const changed = page.getByTestId('differences').locator('li[data-element="ask"]');
  assert.equal(await changed.locator('.changes').innerText(), 'name Ask twice → Ask kindly');
  await page.locator('.djs-shape.is-changed[data-element-id="ask"]').waitFor();
  await shots(page, 'designer-compare');
  await page.getByTestId('element').selectOption('ask');
  const name = page.getByTestId('group-general').getByLabel('Name', { exact: true });
  await name.fill('Ask politely');
  await page.getByTestId('differences-stale').getByText('this list is old').waitFor();
  await name.fill('Ask kindly');
  await page.keyboard.press('Tab');
  await page.getByTestId('differences-stale').getByRole('button', { name: 'Compare again' }).click();
  await page.getByTestId('differences-stale').getByText('this list is old').waitFor({ state: 'detached' });
  await page.getByRole('region', { name: 'Differences' }).getByRole('button', { name: 'Close' }).click();
}

/** What is copied gets an id of its own, is selected, and keeps its actions. */
async function copy(page) {
  await page.getByTestId('element').selectOption('ask');
  await page.locator('[data-testid="canvas"] svg').first().focus();
  await page.keyboard.press('Control+C');
  await page.keyboard.press('Control+V');
  await page.waitForFunction(() => document.querySelectorAll('#element option').length >= 7);
  const copied = await page.getByTestId('element').inputValue();
  assert.notEqual(copied, 'ask');
  assert.equal(await page.getByTestId('action').count(), 2);
}

/** A mistake in a field is a problem that leads back to it from elsewhere. */
async function jumpsTo(page, element, label, mistake, field) {
  await page.getByTestId('element').selectOption(element);
  await page.getByLabel(label, { exact: true }).fill(mistake);
  await page.keyboard.press('Tab');
  await problems(page, '1 error');
  await page.getByTestId('element').selectOption('end');
  await page.getByTestId('problem-list').locator('button').click();
  assert.equal(await page.evaluate(() => document.activeElement.dataset.field), field);
  await page.getByTestId('undo').click();
  await problems(page, 'No problems');
}

/** A condition on sample data, and the next times of a schedule, as the server sees them. */
async function tryParts(page) {
  await page.goto(`${baseUrl()}/admin/designer/onboarding`);
  await problems(page, 'No problems');
  await page.getByTestId('element').selectOption('yes');
  await page.getByTestId('group-condition').getByText('Try it', { exact: true }).click();
  await page.getByLabel('Sample data').fill('{"client": {"age": 17, "income": 20000}}');
  await page.getByTestId('preview').getByText('false').waitFor();
  await page.getByLabel('Sample data').fill('{"client": {"age": 18, "income": 20000}}');
  await page.getByTestId('preview').getByText('true').waitFor();
  await jumpsTo(page, 'yes', 'Condition', 'client.age = 3', 'condition');
  await jumpsTo(page, 'check', 'Params to copy', 'client', 'paramsToCopy');
  await jumpsTo(page, 'onboarding', 'Expiry', 'soon', 'expiry');
  await page.getByTestId('element').selectOption('offerCard');
  await action(page, 'offer').locator('> summary').click();
  await action(page, 'offer').getByRole('button', { name: 'Insert the message that starts a process' }).click();
  await page.getByTestId('problem-list').getByText('demoProcess').waitFor();
  await page.getByTestId('undo').click();
  await problems(page, 'No problems');
  await page.getByTestId('element').selectOption('start');
  await page.getByRole('heading', { name: 'Schedule' }).click();
  await page.getByLabel('Starts by itself').selectOption('timeCycle');
  await page
    .getByTestId('next-times')
    .getByText(/^Next: .+ · .+ · .+/)
    .waitFor();
  await page.getByLabel('Time', { exact: true }).fill('often');
  await page.getByTestId('next-times').getByText('expected').waitFor();
  await shots(page, 'designer-schedule');
}

/** Files, good and broken, and what is done with versions in the list. */
async function manage(page) {
  await page.goto(`${baseUrl()}/admin/processes`);
  const file = page.getByTestId('file');
  const give = (name, text) => file.setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
  await give('broken.bpmn', '<bpmn:definitions');
  await page.getByTestId('trouble').getByText('broken.bpmn was not imported: it has these problems').waitFor();
  assert.ok((await page.getByTestId('trouble').locator('.problem').count()) > 0);
  await shots(page, 'processes-broken-file');
  await give('empty.bpmn', ' ');
  await page.getByTestId('trouble').getByText('the file is empty').waitFor();
  await give('wrong.json', '{"id": "x"}');
  await page.getByTestId('trouble').getByText('wrong.json was not imported').waitFor();
  await give('claim.bpmn', await readFile('claim.bpmn', 'utf8'));
  await page.getByTestId('done').getByText('claim version 1 (draft)').waitFor();

  const versions = page.locator('[data-versions="claim"]');
  await versions.locator('summary').click();
  await versions.getByRole('button', { name: 'Publish' }).click();
  await page.locator('tr[data-process="claim"]').getByText('published').waitFor();
  await versions.getByRole('button', { name: 'Deprecate' }).click();
  await page.locator('tr[data-process="claim"]').getByText('deprecated').waitFor();
  await shots(page, 'processes-versions');
  await versions.getByRole('button', { name: 'Delete' }).click();
  await page.locator('tr[data-process="claim"]').waitFor({ state: 'detached' });
}

/** Who may only look, and who may not even that. */
async function others(browser, watch) {
  const olga = await signIn(browser, watch, 'olga');
  await olga.goto(`${baseUrl()}/admin/designer/onboarding`);
  await olga.getByText('needs the role designer').waitFor();
  await olga.getByTestId('element').selectOption('details');
  assert.equal(await olga.getByTestId('save').count(), 0);
  assert.ok(await olga.getByTestId('group-general').getByLabel('Name', { exact: true }).isDisabled());
  await shots(olga, 'designer-operator');
}

await play(async (browser, watch) => {
  const page = await signIn(browser, watch, 'dora');
  await page.waitForURL('**/admin/processes');
  await draw(page);
  await editActions(page);
  await undoAndCrash(page);
  await awayAndSignedOut(page);
  await meet(page);
  await compare(page);
  await copy(page);
  page.on('dialog', (dialog) => dialog.accept());
  await tryParts(page);
  await manage(page);
  await others(browser, watch);
});
