// Plays the admin pages: SIGN_IN is a sign-in link (or empty when the server lets everybody in). A visitor plays the demo in a
// browser of its own meanwhile, and the pages must follow without a reload.
import assert from 'node:assert/strict';
import { baseUrl, play, shots } from './chromium.mjs';

const live = (page) => page.locator('[data-testid="connection"][data-status="live"]').waitFor();

async function visitor(browser, watch) {
  const page = watch(await (await browser.newContext()).newPage());
  await page.goto(`${baseUrl()}/demo`);
  await page.getByTestId('start').click();
  await page.locator('[data-screen="details"]').waitFor();
  return { page, key: await page.getByTestId('instance-key').innerText() };
}

async function save({ page }) {
  const person = { firstName: 'Grace', lastName: 'Hopper', email: 'grace@example.org', age: 41, income: 60000 };
  for (const [name, value] of Object.entries(person)) await page.getByTestId(`field-client.${name}`).fill(String(value));
  await page.getByTestId('action-save').click();
}

async function list(page, guest) {
  await page.goto(`${baseUrl()}/admin/instances`);
  await live(page);
  const { key } = await guest();
  const row = page.locator(`[data-testid="instances"] tr[data-key="${key}"]`);
  await row.waitFor();
  await shots(page, 'instances');
  await row.locator('a').click();
  await page.waitForURL(`**/${key}`);
}

async function instance(page, guest) {
  await live(page);
  const token = (node) => page.locator(`[data-testid="diagram"] .token[data-node="${node}"]`);
  const row = (node) => page.locator(`[data-testid="elements"] tr[data-node="${node}"][data-active="true"]`);
  await token('details').waitFor();
  await row('details').waitFor();
  await save(guest);
  await token('review').waitFor();
  await row('review').waitFor();
  assert.equal(await token('details').count(), 0);
  await page.getByTestId('view').getByText('"Grace"').first().waitFor();
  await page.getByTestId('data').getByText('"Grace"').first().waitFor();
  assert.ok((await page.getByTestId('messages').locator('li').count()) >= 2);
  await page.getByTestId('correct').click();
  const dialog = page.getByTestId('patch-dialog');
  await dialog.locator('textarea').fill('[1]');
  await dialog.getByRole('button', { name: 'Merge' }).click();
  await dialog.getByRole('alert').getByText('expected a JSON object').waitFor();
  await dialog.locator('textarea').fill('{"client": {"lastName": "Murray"}}');
  await dialog.getByRole('button', { name: 'Merge' }).click();
  await page.getByTestId('data').getByText('"Murray"').first().waitFor();
  await page.getByTestId('actions').getByText('confirm').first().waitFor();
  await shots(page, 'instance');

  page.once('dialog', (dialog) => dialog.accept());
  await page.getByTestId('terminate').click();
  await page.locator('[data-testid="status"][data-status="terminated"]').waitFor();
}

await play(async (browser, watch) => {
  const page = watch(
    await (await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' })).newPage(),
  );
  await page.goto(baseUrl());
  await shots(page, 'home');
  if (process.env.SIGN_IN) await page.goto(process.env.SIGN_IN);
  let guest;
  await list(page, async () => (guest = await visitor(browser, watch)));
  await instance(page, guest);
});
