// What each page weighs and when it is painted first, with nothing cached. What a page brings is bounded, so that none grows unseen;
// what has arrived when the page is idle depends on the machine, so the bounds leave room of a fifth. Times are printed and bound to nothing. TOKENS holds a token for each user, as JSON.
import assert from 'node:assert/strict';
import { baseUrl, play } from './chromium.mjs';

const tokens = JSON.parse(process.env.TOKENS ?? '{}');
/** KiB over the wire that a page may bring, compressed, beside those that it loads once something is opened. */
const PAGES = {
  '/': 20,
  '/demo': 40,
  '/docs': 25,
  '/admin/instances': 45,
  '/admin/tasks': 50,
  '/admin/processes': 80,
  '/admin/playground': 45,
  '/admin/operations/incidents': 60,
  '/admin/operations/audit': 60,
  '/admin/designer/onboarding': 330,
};

await play(async (browser, watch) => {
  const first = watch(await (await browser.newContext()).newPage());
  await first.goto(`${baseUrl()}/sign-in`);
  await first.getByLabel('Token').fill(tokens.root);
  await first.getByRole('main').getByRole('button', { name: 'Sign in by token' }).click();
  await first.waitForURL('**/admin/**');
  const storageState = await first.context().storageState();
  const heavy = [];
  for (const [path, most] of Object.entries(PAGES)) {
    const context = await browser.newContext({ storageState, viewport: { width: 1280, height: 800 } });
    const page = watch(await context.newPage());
    const cdp = await context.newCDPSession(page);
    await cdp.send('Network.enable');
    let bytes = 0;
    cdp.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
    const answer = await page.goto(`${baseUrl()}${path}`, { waitUntil: 'load' });
    assert.equal(answer.status(), 200, path);
    await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
    await page.evaluate(() => new Promise((done) => requestIdleCallback(done, { timeout: 2_000 })));
    const paint = await page.evaluate(() => Math.round(performance.getEntriesByName('first-contentful-paint')[0].startTime));
    const kib = Math.round(bytes / 1024);
    console.log(`WEIGHT ${path} ${kib} KiB, first paint after ${paint} ms`);
    if (kib > most) heavy.push(`${path}: ${kib} KiB instead of ${most}`);
    await context.close();
  }
  assert.equal(heavy.join('; '), '', 'pages that bring more than they may');
});
