// Plays the pages of operators: TOKENS holds a token for each user, as JSON. What happens on the server shows without a reload, and
// what is done here changes it.
import assert from 'node:assert/strict';
import { baseUrl, play, shots } from './chromium.mjs';

const tokens = JSON.parse(process.env.TOKENS ?? '{}');
const live = (page) => page.locator('[data-testid="connection"][data-status="live"]').waitFor();

async function ask(user, path, body) {
  const headers = { authorization: `Bearer ${tokens[user]}`, 'content-type': 'application/json' };
  const response = await fetch(`${baseUrl()}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.ok(response.ok, `${path} answered ${response.status}: ${await response.clone().text()}`);
  return response.json();
}

/** Fails at its rule unless it is told not to; waits for a message and a time meanwhile; pushes a placeholder without a value. */
const PROCESS = {
  id: 'failing',
  name: 'Failing <b>rule</b>',
  nodes: [
    { id: 'start', type: 'startEvent' },
    {
      id: 'work',
      type: 'userTask',
      actions: [
        { name: 'hello', order: 1, type: 'websocketSend', params: { message: '{"name": "${client.name}", "amount": "${amount}"}' } },
        { name: 'go', order: 2, type: 'saveData', trigger: 'manual', keys: [{ path: 'amount' }] },
      ],
    },
    { id: 'late', type: 'boundaryEvent', attachedTo: 'work', interrupting: false, event: { type: 'message', name: 'hurry' } },
    { id: 'hurried', type: 'endEvent' },
    {
      id: 'rule',
      type: 'task',
      actions: [
        { name: 'check', type: 'businessRule', params: { script: "if (input.amount === 13) { throw new Error('unlucky') }" } },
      ],
    },
    { id: 'end', type: 'endEvent' },
  ],
  flows: [
    { id: 'f1', source: 'start', target: 'work' },
    { id: 'f2', source: 'work', target: 'rule' },
    { id: 'f3', source: 'rule', target: 'end' },
    { id: 'f4', source: 'late', target: 'hurried' },
  ],
};

async function signIn(browser, watch, user, path) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  const page = watch(await context.newPage());
  await page.goto(`${baseUrl()}/sign-in`);
  await page.getByLabel('Token').fill(tokens[user]);
  await page.getByRole('main').getByRole('button', { name: 'Sign in by token' }).click();
  await page.goto(`${baseUrl()}${path}`);
  await live(page);
  return page;
}

const start = async (data = {}) => (await ask('ada', '/v1/instances', { process: 'failing', data })).instance;

async function failed() {
  const key = await start();
  await ask('ada', `/v1/instances/${key}/run`, { action: 'go', data: { amount: 13 } });
  return key;
}

/** Numbers follow what happens. */
async function dashboard(page) {
  const number = (name, value) => page.getByTestId(name).locator('strong', { hasText: new RegExp(`^${value}$`) }).waitFor();
  await number('stuck', 0);
  const keys = [await failed(), await failed()];
  await number('stuck', 2);
  await number('running', 2);
  await heat(page);
  await shots(page, 'dashboard');
  return keys;
}

/** What takes time, waits or stands still, on the diagram and in a table; follows what happens. */
async function heat(page) {
  const map = page.getByTestId('heat-map');
  const row = (node) => map.locator(`tr[data-key="${node}"]`);
  const badge = (node) => map.locator(`.heat[data-node="${node}"]`);
  await map.getByTestId('heat-process').selectOption('failing/1');
  await badge('work').getByText(/\d (ms|s)/).waitFor();
  await map.getByTestId('heat-by').focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await map.getByTestId('heat-by').selectOption('incidents');
  await badge('rule').getByText('2', { exact: true }).waitFor();
  assert.equal(await badge('work').count(), 0);
  await map.getByTestId('heat-sample').getByText('2 instances read.').waitFor();
  const key = await start();
  await row('work').locator('[data-label="Waiting now"]').getByText('1', { exact: true }).waitFor();
  await map.getByTestId('heat-by').selectOption('running');
  await badge('work').getByText('1', { exact: true }).waitFor();
  await ask('root', `/v1/instances/${key}/terminate`, {});
  await row('work').locator('[data-label="Waiting now"]').getByText('0', { exact: true }).waitFor();
  assert.match(page.url(), /heat=failing%2F1&by=running/);
  await map.getByTestId('heat-by').selectOption('median');
  // Another process has its own figures, and the marks of the one before are gone.
  await map.getByTestId('heat-process').selectOption('onboarding/1');
  await map.getByText('No instance of this version was started yet.').waitFor();
  await map.getByTestId('heat-process').selectOption('failing/1');
  await badge('work').waitFor();
}

/** Two of one cause are retried at once: one was corrected, the other fails again. */
async function incidents(page, [corrected]) {
  await page.goto(`${baseUrl()}/admin/operations/incidents`);
  await page.getByTestId('count').getByText('2', { exact: true }).waitFor();
  await shots(page, 'incidents');
  const patch = { method: 'PATCH', headers: { authorization: `Bearer ${tokens.olga}`, 'content-type': 'application/json' } };
  const changed = await fetch(`${baseUrl()}/v1/instances/${corrected}/data`, { ...patch, body: '{"data": {"amount": 1}}' });
  assert.ok(changed.ok, await changed.text());
  await page.getByRole('button', { name: 'Retry all' }).focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('bulk-told').getByText('Retry: 2 of 2 done').waitFor();
  await page.getByTestId('count').getByText('1', { exact: true }).waitFor();
}

/** Dragged back, the page shows how it stood; what it waits for and why a value is null are told. */
async function instance(page) {
  const key = await start();
  await page.goto(`${baseUrl()}/admin/instances/${key}`);
  await live(page);
  await page.getByTestId('waiting').locator('tr[data-kind="message"]').getByText('hurry').waitFor();
  await page.getByTestId('messages').locator('summary').first().click();
  await page.getByTestId('null-reasons').getByText("the data have no 'client' there").first().waitFor();
  await page.getByTestId('actions').locator('summary', { hasText: 'go' }).click();
  await page.locator('stepwire-form').getByLabel('Amount').fill('7');
  const runs = page.getByTestId('actions').getByRole('button', { name: 'Run go' });
  const [button, card] = await Promise.all([runs.boundingBox(), page.getByTestId('actions').boundingBox()]);
  assert.ok(button.x > card.x + 8, 'the form of an action does not touch the border of its card');
  await runs.click();
  await page.locator('[data-testid="status"][data-status="finished"]').waitFor();
  const row = (node) => page.locator(`[data-testid="elements"] tr[data-node="${node}"]`);
  await row('end').waitFor();
  await page.getByTestId('timeline').getByText('ada').first().waitFor();
  await page.getByTestId('slider').focus();
  await page.keyboard.press('Home');
  await page.getByTestId('moment').getByText('An earlier moment').waitFor();
  await row('end').waitFor({ state: 'detached' });
  assert.equal(await row('work').getAttribute('data-active'), 'true');
  assert.equal(await page.getByTestId('data').getByText('amount').count(), 0);
  await shots(page, 'instance-earlier');
  await page.getByTestId('now').click();
  await row('end').waitFor();
  await page.getByTestId('data').getByText('amount').waitFor();
  await page.getByTestId('search-data').fill('nothing like that');
  await page.getByTestId('data').getByText('amount').waitFor({ state: 'hidden' });
}

/** The preview says what a move does; by keyboard alone the token goes where it is told to. */
async function moveToken(page) {
  const key = await failed();
  await page.goto(`${baseUrl()}/admin/instances/${key}`);
  await live(page);
  const active = (node) => page.locator(`[data-testid="elements"] tr[data-node="${node}"][data-active="true"]`);
  await active('rule').getByTestId('move').focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByTestId('move-dialog');
  await dialog.getByLabel('To').selectOption('work');
  await dialog.getByTestId('move-preview').getByText('Runs its automatic actions: hello.').waitFor();
  await shots(page, 'instance-move');
  await dialog.getByRole('button', { name: 'Move the token' }).focus();
  await page.keyboard.press('Enter');
  await active('work').waitFor();
  await active('rule').waitFor({ state: 'detached' });
  await page.locator('[data-testid="timeline"] tr[data-kind="tokenMoved"]').waitFor();
  await ask('root', `/v1/instances/${key}/terminate`, {});
}

/** Those that fit go to another version, once their token has a place there; one alone from its own page. */
async function migrate(page) {
  const keys = [await start(), await start(), await start()];
  const renamed = JSON.parse(JSON.stringify(PROCESS).replaceAll('"work"', '"desk"'));
  await ask('dora', '/v1/definitions?publish=true', renamed);
  await page.goto(`${baseUrl()}/admin/instances?status=started`);
  await live(page);
  await page.getByTestId('bulk-migrate').click();
  await page.getByTestId('bulk-told').getByText('choose a process in the filter first').waitFor();
  await page.goto(`${baseUrl()}/admin/instances?status=started&process=failing`);
  await live(page);
  await page.getByTestId('bulk-migrate').focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByTestId('migrate-dialog');
  const decide = async (none, all) => {
    await dialog.getByLabel('To', { exact: true }).selectOption('2');
    await dialog.getByTestId('migrate-summary').getByText(none).waitFor();
    await dialog.getByTestId('migrate-problems').getByText("'work' is not in the target").waitFor();
    assert.equal(await dialog.getByRole('button', { name: 'Migrate' }).isDisabled(), true);
    await dialog.getByLabel('Where work continues').selectOption('desk');
    await dialog.getByTestId('migrate-summary').getByText(all).waitFor();
  };
  await decide('0 of 3 can be migrated.', '3 of 3 can be migrated.');
  await shots(page, 'instances-migrate');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.goto(`${baseUrl()}/admin/instances/${keys[0]}`);
  await live(page);
  await page.getByTestId('migrate').click();
  await decide('It cannot be migrated.', 'It can be migrated.');
  await dialog.getByRole('button', { name: 'Migrate' }).focus();
  await page.keyboard.press('Enter');
  // The page comes again by itself, with the diagram of the other version.
  await page.locator('h1').getByText('v2').waitFor();
  await page.locator('[data-testid="elements"] tr[data-node="desk"][data-active="true"]').waitFor();
  await page.goto(`${baseUrl()}/admin/instances?status=started&process=failing`);
  await live(page);
  await page.getByTestId('bulk-migrate').click();
  await decide('0 of 3 can be migrated.', '2 of 3 can be migrated.');
  await dialog.getByRole('button', { name: 'Migrate' }).click();
  await page.getByTestId('bulk-told').getByText('Migrate: 2 of 2 done').waitFor();
  for (const key of keys) await ask('root', `/v1/instances/${key}/terminate`, {});
}

/** Who did what is listed, newest first, and narrowed. */
async function audit(page) {
  await page.goto(`${baseUrl()}/admin/operations/audit`);
  await live(page);
  const rows = page.getByTestId('operations').locator('tbody tr');
  await rows.first().waitFor();
  await shots(page, 'operations-audit');
  await page.getByLabel('What').fill('migrate');
  await page.getByRole('button', { name: 'Filter' }).click();
  await rows.nth(3).waitFor({ state: 'detached' });
  assert.equal(await rows.count(), 3);
  await rows.first().getByText('root').waitFor();
  await page.getByLabel('What').fill('<img src=x onerror=alert(1)>');
  await page.keyboard.press('Enter');
  await page.getByText('No entry matches.').waitFor();
}

/** All that fit the filter, and no other. */
async function bulk(page) {
  await page.goto(`${baseUrl()}/admin/instances?process=failing&status=started`);
  await live(page);
  page.once('dialog', (dialog) => dialog.accept());
  await page.getByTestId('bulk-terminate').click();
  await page.getByTestId('bulk-told').getByText('Terminate: 1 of 1 done').waitFor();
  await page.getByText('No instance matches.').waitFor();
}

async function others(page) {
  for (const name of ['schedules', 'timers', 'about']) {
    await page.goto(`${baseUrl()}/admin/operations/${name}`);
    await live(page);
    if (name !== 'about') await page.getByTestId('operations').locator('.box').first().waitFor();
    await shots(page, `operations-${name}`);
  }
  await connections(page);
  await page.goto(`${baseUrl()}/admin/operations/settings`);
  const option = (name) => page.getByTestId('operations').locator(`tr[data-key="${name}"]`);
  await option('listen').getByText('command line', { exact: true }).waitFor();
  await option('jwt-secret').getByText('set, not shown').waitFor();
  await option('workers').getByText('default', { exact: true }).waitFor();
  await shots(page, 'operations-settings');
  await page.goto(`${baseUrl()}/admin/operations/users`);
  await page.getByLabel('Name').fill('<i>eve</i>');
  await page.getByLabel('Password').fill('correct horse battery');
  await page.getByLabel('Roles').fill('clerk');
  await page.getByTestId('add-user').click();
  await page.getByTestId('operations').locator('strong', { hasText: '<i>eve</i>' }).or(page.getByTestId('trouble').locator('p')).first().waitFor();
  await page.getByLabel('Name').fill('eve');
  await page.getByLabel('Password').fill('correct horse battery');
  await page.getByTestId('add-user').click();
  await page.getByTestId('operations').locator('tr[data-key="eve"]').waitFor();
  await shots(page, 'operations-users');
}

/** Another page shows up by itself, is closed by keyboard, and goes. */
async function connections(page) {
  await page.goto(`${baseUrl()}/admin/operations/connections`);
  await live(page);
  const row = (user) => page.getByTestId('operations').locator('tr', { has: page.locator('strong', { hasText: user }) });
  await row('root').waitFor();
  const { ticket } = await ask('ada', '/v1/tickets', { for: 'ws' });
  const closed = page.evaluate(async (ticket) => {
    const socket = new WebSocket(`ws://${location.host}/v1/ws?ticket=${ticket}`, 'stepwire.v1.json');
    socket.onopen = () => socket.send('{"type":"hello","client":"<img src=x onerror=alert(1)>"}');
    return new Promise((resolve) => (socket.onclose = ({ code }) => resolve(code)));
  }, ticket);
  await row('ada').getByText('<img src=x').waitFor();
  await shots(page, 'operations-connections');
  await row('ada').getByTestId('close').focus();
  await page.keyboard.press('Enter');
  assert.equal(await closed, 4003);
  await row('ada').waitFor({ state: 'detached' });
}

await play(async (browser, watch) => {
  await ask('dora', '/v1/definitions?publish=true', PROCESS);
  const page = await signIn(browser, watch, 'root', '/admin/operations/dashboard');
  const keys = await dashboard(page);
  await incidents(page, keys);
  await instance(page);
  await moveToken(page);
  await bulk(page);
  await migrate(page);
  await audit(page);
  await others(page);
});
