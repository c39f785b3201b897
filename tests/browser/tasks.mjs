// Plays the work of several users, each in a browser of their own: TOKENS holds a token for each, as JSON. A clerk sees a task
// appear and claims it, another sees it vanish, an operator holds the instance; nothing is reloaded.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { baseUrl, play, shots } from './chromium.mjs';

const tokens = JSON.parse(process.env.TOKENS ?? '{}');
const live = (page) => page.locator('[data-testid="connection"][data-status="live"]').waitFor();
const task = (page, node) => page.locator(`[data-testid="tasks"] tr[data-node="${node}"]`);
const element = (page, node) => page.locator(`[data-testid="elements"] tr[data-node="${node}"][data-active="true"]`);

async function ask(user, path, type, body) {
  const headers = { authorization: `Bearer ${tokens[user]}`, 'content-type': type };
  const response = await fetch(`${baseUrl()}${path}`, { method: 'POST', headers, body });
  assert.ok(response.ok, `${path} answered ${response.status}: ${await response.clone().text()}`);
  return response.json();
}

async function start(businessKey, due) {
  const claim = { process: 'claim', businessKey, data: { due } };
  const { instance } = await ask('ada', '/v1/instances', 'application/json', JSON.stringify(claim));
  return instance;
}

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

/** The task comes to both clerks, goes to the one who claims it, and comes back. */
async function claim(bob, ben) {
  for (const page of [bob, ben]) {
    await task(page, 'check').waitFor();
    // Lanes and processes by their names.
    await task(page, 'check').getByText('Office', { exact: true }).waitFor();
    await task(page, 'check').getByText('Insurance claim', { exact: true }).waitFor();
    assert.equal(await page.getByTestId('total').innerText(), '1 task, 0 of them yours');
    await task(page, 'check').getByText('overdue', { exact: true }).waitFor();
  }
  await presence(bob, ben);
  await task(bob, 'check').getByTestId('claim').focus();
  await bob.keyboard.press('Enter');
  await task(bob, 'check').getByText('yours', { exact: true }).waitFor();
  await ben.getByText('No task waits for you.').waitFor();
  const focused = () => bob.evaluate(() => document.activeElement?.getAttribute('data-focus') ?? '');
  assert.match(await focused(), /\/(work|release)$/, 'the focus stays with the task that was claimed');
  await shots(bob, 'tasks');
  await drafts(bob, ben);
  await task(bob, 'check').getByTestId('release').click();
  await bob.getByTestId('tab-claimable').click();
  await task(bob, 'check').getByRole('button', { name: 'Work on it' }).click();
  await bob.getByTestId('task-panel').getByLabel('Accepted').fill('"half"');
  await ben.getByTestId('tab-claimable').click();
  await task(ben, 'check').getByTestId('claim').click();
  await task(bob, 'check').waitFor({ state: 'detached' });
  await taken(bob);
}

/** Who types while somebody else takes the task is told, and can read what was typed. */
async function taken(bob) {
  const over = bob.getByTestId('task-over');
  await over.getByText('What you typed can still be read.').waitFor();
  assert.equal(await bob.getByTestId('task-panel').getByLabel('Accepted').inputValue(), '"half"');
  assert.ok(await bob.getByTestId('task-panel').getByRole('button', { name: 'Run decide' }).isDisabled());
  await over.getByRole('button', { name: 'Close' }).click();
  await bob.getByTestId('task-panel').waitFor({ state: 'detached' });
}

/** Two who look at the same task see each other, and that one of them types; who closes it is gone for the other. */
async function presence(bob, ben) {
  const press = (page, name) => task(page, 'check').getByRole('button', { name }).click();
  const others = (page, text) => page.getByTestId('others').getByText(text, { exact: true }).waitFor();
  for (const page of [bob, ben]) await press(page, 'Work on it');
  await others(bob, 'Also open at ben.');
  await others(ben, 'Also open at bob.');
  await ben.getByTestId('task-panel').getByLabel('Accepted').fill('"perhaps"');
  await others(bob, 'Also open at ben (typing).');
  await shots(bob, 'tasks-presence');
  await ben.getByTestId('task-panel').getByLabel('Accepted').fill('');
  await press(ben, 'Close');
  await bob.getByTestId('others').getByText('Also open').waitFor({ state: 'detached' });
  await press(bob, 'Close');
}

/** What is typed and not sent is there again after a reload, and whoever looks on sees that somebody is there. */
async function drafts(bob, ben) {
  const panel = bob.getByTestId('task-panel');
  await panel.getByLabel('Accepted').fill('"not sent"');
  await task(bob, 'check').getByTestId('release').click();
  await task(ben, 'check').getByTestId('claim').click();
  await ben.getByTestId('task-panel').getByLabel('Accepted').waitFor();
  assert.equal(await ben.getByTestId('task-panel').getByLabel('Accepted').inputValue(), '', 'a draft is its user’s');
  await task(ben, 'check').getByTestId('release').click();
  await bob.getByTestId('tab-claimable').click();
  await task(bob, 'check').getByTestId('claim').click();
  await bob.locator('[data-testid="tab-mine"][aria-current="true"]').waitFor();
  await bob.reload();
  await live(bob);
  await bob.locator('[data-testid="tab-mine"][aria-current="true"]').waitFor();
  await task(bob, 'check').getByRole('button', { name: 'Work on it' }).click();
  const typed = () => panel.getByLabel('Accepted').inputValue();
  for (let tries = 0; (await typed()) !== '"not sent"' && tries < 100; tries++) await bob.waitForTimeout(50);
  assert.equal(await typed(), '"not sent"');
}

/** What an operator does on the instance's page shows in the list, in another window. */
async function hold(list, page, key) {
  const status = list.locator(`tr[data-key="${key}"] [data-part="status"]`);
  await page.getByTestId('hold').click();
  await page.locator('[data-testid="status"][data-status="onHold"]').waitFor();
  await status.getByText('onHold').waitFor();
  await shots(page, 'instance-on-hold');
  await shots(list, 'instances-on-hold');
  await page.getByTestId('unhold').click();
  await status.getByText('started').waitFor();
}

/** Assigns the task; who has it decides on the instance's page, where the one who had it before may only watch. */
async function assign(operator, bob, ben, key) {
  await element(operator, 'check').getByTestId('assign').click();
  await operator.getByTestId('assign-dialog').getByLabel('User').fill('bob');
  await shots(operator, 'assign');
  await operator.keyboard.press('Enter');
  await element(operator, 'check').getByText('Assigned to bob').waitFor();
  await ben.getByTestId('task-over').getByText('bob has taken this task.').waitFor();
  await ben.getByTestId('task-over').getByRole('button', { name: 'Close' }).click();
  await ben.getByText('No task waits for you.').waitFor();
  await ben.goto(`${baseUrl()}/admin/instances/${key}`);
  await element(ben, 'check').getByText('read only').waitFor();
  await element(ben, 'check').getByTestId('release').click();
  await ben.getByTestId('trouble').getByText('expected the assignee').waitFor();
  await shots(ben, 'instance-read-only');

  await task(bob, 'check').getByRole('button', { name: 'Work on it' }).click();
  await bob.getByLabel('Accepted').fill('true');
  await bob.getByRole('button', { name: 'Run decide' }).focus();
  await bob.keyboard.press('Enter');
  await task(bob, 'check').waitFor({ state: 'detached' });
  await bob.goto(`${baseUrl()}/admin/instances/${key}`);
  await live(bob);
  for (const page of [bob, ben, operator]) await element(page, 'sign').waitFor();
}

/** An approval comes to its approver with its due date, below what is due before; what was decided and said shows afterwards. */
async function approve(bob, operator) {
  // Gets overdue while it is looked at, and reminds.
  const older = await start('C-8', 'PT3S');
  const order = { process: 'orderApproval', data: { order: { item: 'desk', amount: 5000, approver: 'bob' } } };
  const { instance } = await ask('ada', '/v1/instances', 'application/json', JSON.stringify(order));
  await bob.goto(`${baseUrl()}/admin/tasks`);
  await bob.getByTestId('tab-all').click();
  await task(bob, 'approve').getByText('yours', { exact: true }).waitFor();
  await task(bob, 'check').getByText('overdue', { exact: true }).waitFor();
  await task(bob, 'check').getByText('reminded', { exact: true }).waitFor();
  assert.equal(await task(bob, 'approve').getByText('overdue').count(), 0);
  assert.deepEqual(await bob.getByTestId('tasks').locator('tbody tr').evaluateAll((rows) => rows.map((row) => row.dataset.node)), [
    'check',
    'approve',
  ]);
  await shots(bob, 'tasks-due');
  await ask('root', `/v1/instances/${older}/terminate`, 'application/json', '{}');
  await task(bob, 'check').waitFor({ state: 'detached' });
  await operator.goto(`${baseUrl()}/admin/instances/${instance}`);
  await element(operator, 'approve').getByTestId('due').waitFor();
  await shots(operator, 'instance-due');
  await task(bob, 'approve').getByRole('link').click();
  await live(bob);
  await bob.getByTestId('actions').getByText('reject').first().click();
  await bob.getByLabel('Comment for reject').fill('too much money');
  await bob.getByRole('button', { name: 'Run reject' }).click();
  await operator.getByTestId('decision').getByText('by bob: “too much money”').waitFor();
  await shots(operator, 'instance-decided');
}

/** An operator sees every task of the tenant, whoever has it, and what comes and goes. */
async function everybody(browser, watch) {
  const page = await signIn(browser, watch, 'olga', '/admin/tasks?tab=all');
  await task(page, 'sign').waitFor();
  await shots(page, 'tasks-all');
  const key = await start('C-9');
  await page.locator(`[data-testid="tasks"] tr a[href$="${key}"]`).waitFor();
  await ask('root', `/v1/instances/${key}/terminate`, 'application/json', '{}');
  await page.locator(`[data-testid="tasks"] tr a[href$="${key}"]`).waitFor({ state: 'detached' });
}

/** Who is no operator sees what is theirs. */
async function owner(browser, watch) {
  const page = await signIn(browser, watch, 'ada', '/admin/instances');
  await page.getByText('C-7', { exact: true }).waitFor();
  await shots(page, 'instances-owner');
  await page.getByRole('link', { name: 'Tasks' }).click();
  await task(page, 'sign').waitFor();
}

await play(async (browser, watch) => {
  await ask('root', '/v1/definitions?publish=true', 'application/xml', await readFile('claim.bpmn'));
  const [bob, ben, list] = await Promise.all([
    signIn(browser, watch, 'bob', '/admin/tasks'),
    signIn(browser, watch, 'ben', '/admin/tasks'),
    signIn(browser, watch, 'olga', '/admin/instances'),
  ]);
  await bob.getByText('No task waits for you.').waitFor();
  const key = await start('C-7', '2020-01-31T12:00:00Z');
  await claim(bob, ben);
  await list.locator(`tr[data-key="${key}"]`).waitFor();
  const operator = watch(await list.context().newPage());
  await operator.goto(`${baseUrl()}/admin/instances/${key}`);
  await live(operator);
  await hold(list, operator, key);
  await approve(bob, operator);
  await bob.goto(`${baseUrl()}/admin/tasks`);
  await live(bob);
  await operator.goto(`${baseUrl()}/admin/instances/${key}`);
  await live(operator);
  await assign(operator, bob, ben, key);
  await owner(browser, watch);
  await everybody(browser, watch);
});
