// Plays the demo as a visitor would, with a second tab, a reload and (by the caller, at the checkpoint) a killed server.
import assert from 'node:assert/strict';
import { baseUrl, checkpoint, play, shots } from './chromium.mjs';

const screen = (page, name) => page.locator(`[data-testid="screen"][data-screen="${name}"]`).waitFor();
const text = (page, id) => page.getByTestId(id).innerText();
const live = (page) => page.locator('[data-testid="connection"][data-status="live"]').waitFor();

async function fill(page, person) {
  for (const [name, value] of Object.entries(person)) await page.getByTestId(`field-client.${name}`).fill(String(value));
}

/** Opens the account as far as the review, and leaves wrong data behind on the way. */
async function details(page) {
  await page.getByTestId('theme').selectOption('stripes');
  await shots(page, '1-welcome');
  await page.getByTestId('start').click();
  await screen(page, 'details');
  await page.getByTestId('action-save').click();
  await page.getByTestId('error-client.firstName').filter({ hasText: 'Please fill this in.' }).waitFor();
  await shots(page, '2-details-errors');
  await fill(page, { firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.org', age: 36, income: 52000 });
  await shots(page, '3-details');
  await page.getByTestId('action-save').click();
  await screen(page, 'review');
  assert.match(await text(page, 'facts'), /Ada Lovelace/);
  assert.match(await text(page, 'contract'), /Ada Lovelace/);
}

async function secondTab(page, watch) {
  const [tab] = await Promise.all([page.context().waitForEvent('page'), page.getByTestId('second-tab').click()]);
  watch(tab);
  await screen(tab, 'review');
  assert.equal(await text(tab, 'facts'), await text(page, 'facts'));
  return tab;
}

async function simulate(page, tab) {
  for (const [amount, words] of [
    ['20000', /20[,.]?000/],
    ['5000', /\b5[,.]?000/],
  ]) {
    await page.getByTestId('loan.amount').fill(amount);
    await page.getByTestId('loan.months').fill('36');
    await page.getByTestId('action-simulate').click();
    for (const each of [page, tab]) await each.getByTestId('simulation').filter({ hasText: words }).waitFor();
    assert.equal(await text(page, 'simulation'), await text(tab, 'simulation'));
  }
}

async function back(page, tab) {
  await page.getByTestId('back').click();
  await screen(page, 'edit');
  assert.equal(await page.getByTestId('field-client.income').inputValue(), '52000');
  await fill(page, { income: 64000 });
  await page.getByTestId('action-save').click();
  for (const each of [page, tab]) {
    await screen(each, 'review');
    await each.locator('[data-fact="Income"]', { hasText: /64[,.]000/ }).waitFor();
  }
}

async function confirm(page) {
  await page.getByTestId('action-confirm').click();
  await page.getByTestId('error-consent').filter({ hasText: 'Please agree' }).waitFor();
  await page.getByTestId('consent').check();
  await page.getByTestId('action-confirm').click();
  await screen(page, 'card');
}

async function orderCard(page, tab) {
  await shots(page, '5-card');
  await screen(tab, 'card');
  const designs = page.locator('input[name="design"]');
  const design = await designs.last().getAttribute('value');
  await designs.last().check();
  await page.getByTestId('action-choose').click();
  for (const each of [page, tab]) {
    await screen(each, 'ordered');
    assert.equal((await text(each, 'ordered-design')).toLowerCase(), design.toLowerCase());
    assert.equal(await each.locator('.bank-card').getAttribute('data-theme'), 'stripes');
  }
}

async function rejected(page) {
  await page.getByTestId('start-over').click();
  await page.getByTestId('start').click();
  await screen(page, 'details');
  await fill(page, { firstName: 'Kim', lastName: 'Young', email: 'kim@example.org', age: 12, income: 100 });
  await page.getByTestId('action-save').click();
  await screen(page, 'rejected');
  assert.notEqual(await text(page, 'reason'), '');
  await shots(page, '7-rejected');
}

/** The page goes away between the last step and its answer to the card's offer: the offer is there for whoever comes back. */
async function offerSurvivesReload(browser, watch) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = watch(await context.newPage());
  await page.addInitScript(() => {
    if (sessionStorage.getItem('answers')) return;
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function answerNoOffer(frame) {
      if (!String(frame).includes('"inheritFrom"')) send.call(this, frame);
    };
  });
  await page.goto(`${baseUrl()}/demo`);
  await live(page);
  await page.getByTestId('start').click();
  await screen(page, 'details');
  await fill(page, { firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.org', age: 36, income: 52000 });
  await page.getByTestId('action-save').click();
  await screen(page, 'review');
  await page.getByTestId('consent').check();
  await page.getByTestId('action-confirm').click();
  await screen(page, 'done');
  await page.evaluate(() => sessionStorage.setItem('answers', 'yes'));
  await page.reload();
  await screen(page, 'card');
  await context.close();
}

await play(async (browser, watch) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  const page = watch(await context.newPage());
  await page.goto(`${baseUrl()}/demo`);
  await live(page);
  await details(page);
  const tab = await secondTab(page, watch);
  await page.reload();
  await screen(page, 'review');
  await checkpoint('restart');
  await live(page);
  await simulate(page, tab);
  await shots(page, '4-review');
  await back(page, tab);
  await confirm(page);
  await orderCard(page, tab);
  await shots(page, '6-ordered');
  await page.reload();
  await screen(page, 'ordered');
  await rejected(page);
  await offerSurvivesReload(browser, watch);
});
