// Visits every page of the documentation, on a desktop and on a phone: nothing may reach beyond the window, no console may complain, and
// none has a script. Then the sign-in, which comes back.
import assert from 'node:assert/strict';
import { baseUrl, play, shots } from './chromium.mjs';

await play(async (browser, watch) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = watch(await context.newPage());
  await page.goto(`${baseUrl()}/docs`);
  const links = await page.locator('main a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
  assert.ok(links.length >= 15, `${links}`);
  await shots(page, 'docs');
  for (const path of [...links.filter((link) => link !== '/docs/api'), '/docs/errors/not_found']) {
    await page.goto(`${baseUrl()}${path}`);
    assert.equal(await page.locator('script').count(), 0, path);
    await shots(page, path.slice(1).replaceAll('/', '-'));
  }
  await page.goto(`${baseUrl()}/docs/process-model#A28`);
  assert.ok(await page.locator('#A28').isVisible());
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.waitForURL('**/sign-in?to=/docs/process-model');
  await shots(page, 'sign-in');
  await page.goto(process.env.SIGN_IN);
  await page.goto(`${baseUrl()}/admin`);
  await page.waitForURL('**/admin/instances');
});
