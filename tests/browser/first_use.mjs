// What a new user does in the first minutes: opens the printed link, plays the demo beside its live diagram, changes a message in the designer,
// publishes it, and sees the change. SIGN_IN is the printed link. Each step is told with the time it took (STEP lines): what the machine needs, not
// what a person needs to read and decide.
import assert from 'node:assert/strict';
import { play, shots } from './chromium.mjs';

const REASON = 'We cannot open an account for you yet: come back when you are 18.';
const begun = performance.now();
let last = begun;
/** Tells how long a step took. */
function step(name) {
  const now = performance.now();
  console.log(`STEP ${name}: ${Math.round(now - last)} ms, ${((now - begun) / 1000).toFixed(1)} s in all`);
  last = now;
}

async function fill(demo, age) {
  const values = { firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.org', age, income: '52000' };
  for (const [name, value] of Object.entries(values)) await demo.getByTestId(`field-client.${name}`).fill(value);
  await demo.getByTestId('action-save').click();
}

await play(async (browser, watch) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  const page = watch(await context.newPage());
  await page.goto(process.env.SIGN_IN);
  await page.getByRole('heading', { name: 'What to do next' }).waitFor();
  step('the printed link leads to the first page');
  await shots(page, 'first-use-home');

  const opened = (from) => Promise.all([context.waitForEvent('page'), from.click()]).then(([other]) => watch(other));
  const demo = await opened(page.getByRole('link', { name: 'in a second window' }));
  await demo.getByTestId('start').click();
  await demo.getByTestId('field-client.firstName').waitFor();
  step('an account is begun in the demo');
  const diagram = await opened(demo.getByTestId('live-diagram'));
  const token = (node) => diagram.locator(`[data-testid="elements"] tr[data-node="${node}"][data-active="true"]`);
  await token('details').waitFor();
  step('its diagram is open beside it');
  // A mistake is said at its field, and no longer once the field is another one.
  await demo.getByTestId('action-save').click();
  await demo.getByTestId('error-client.firstName').waitFor();
  await demo.getByTestId('field-client.firstName').fill('A');
  assert.equal(await demo.getByTestId('error-client.firstName').isVisible(), false, 'what was wrong with the former value is said no longer');
  await fill(demo, '36');
  await token('review').waitFor();
  await shots(diagram, 'first-use-diagram');
  step('the form is sent, and the token has moved on the diagram');

  await page.bringToFront();
  await page.getByTestId('change-message').click();
  const message = page.locator('#properties [data-field="action/0/message"]');
  await message.waitFor();
  await page.getByTestId('problem-count').filter({ hasText: 'No problems' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.dataset.field), 'action/0/message', 'the message has the focus');
  step('the designer is open at the message');
  await shots(page, 'first-use-designer');
  const written = JSON.parse(await message.inputValue());
  await message.fill(JSON.stringify({ ...written, reason: REASON }));
  await page.getByTestId('publish').click();
  await page.getByText('Published: new instances run version 2.').waitFor();
  step('the message is another one, and published');

  await demo.bringToFront();
  await demo.getByTestId('start-over').click();
  await demo.getByTestId('start').click();
  await demo.getByTestId('field-client.firstName').waitFor();
  await fill(demo, '17');
  await demo.getByTestId('reason').filter({ hasText: REASON }).waitFor();
  step('the visitor reads it');
  await shots(demo, 'first-use-rejected');
});
