// Every member of the JSON form of a definition has its field in the properties panel, as fields-of-definitions.json says; and what newer elements say
// is set with them: events with several definitions, quantities of tokens, conditions of iterations, global tasks, several times, the list of messages.
// TOKENS holds a token for each user, as JSON.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { baseUrl, play, shots } from './chromium.mjs';

const tokens = JSON.parse(process.env.TOKENS ?? '{}');
const problems = (page, part) => page.getByTestId('problem-count').filter({ hasText: part }).waitFor();
const sound = (page) => problems(page, /No problems|^0 errors/);
const field = (page, name) => page.locator(`#properties [data-field="${name}"]`);
const select = (page, element) => page.getByTestId('element').selectOption(element);
const press = (page, focus) => page.locator(`#properties [data-focus="${focus}"]`).click();

/** Opens a file, in which there is an element that the former has not. */
async function openFile(page, file, element) {
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByTestId('import').click()]);
  await chooser.setFiles(file);
  await page.locator(`#element option[value="${element}"]`).waitFor({ state: 'attached' });
  await sound(page);
}

async function exported(page) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('export').click()]);
  return readFile(await download.path(), 'utf8');
}

/** Opens what is closed, so that what is in it can be used. */
const unfold = (page) => page.locator('#properties details').evaluateAll((all) => all.forEach((one) => (one.open = true)));

/** The names of all fields that any element of the model has. */
async function fieldsOf(page) {
  const elements = await page.locator('#element option').evaluateAll((all) => all.map(({ value }) => value));
  const found = new Set();
  for (const element of elements) {
    await select(page, element);
    await unfold(page);
    const names = await page.locator('#properties [data-field]').evaluateAll((all) => all.map(({ dataset }) => dataset.field));
    names.forEach((name) => found.add(name));
  }
  return found;
}

/** Every name of the table is one of a field. */
async function allThere(page) {
  const found = new Set();
  for (const [file, element] of [['everything.bpmn', 'ah'], ['events.bpmn', 'ess'], ['several.bpmn', 'both']]) {
    await openFile(page, file, element);
    for (const name of await fieldsOf(page)) found.add(name);
  }
  const table = JSON.parse(await readFile('fields-of-definitions.json', 'utf8'));
  const named = Object.entries(table).flatMap(([type, members]) => Object.entries(members).map(([member, name]) => [`${type}.${member}`, name]));
  const missing = named.filter(([, name]) => typeof name === 'string' && !found.has(name));
  assert.deepEqual(missing, [], `fields of the panel: ${[...found].sort().join(' ')}`);
}

/** An event becomes one with several definitions and one with one again, and each says its own. */
async function severalDefinitions(page) {
  await select(page, 'both');
  assert.equal(await field(page, 'event/1/correlationKey').inputValue(), '${order.id}');
  assert.ok(await field(page, 'parallelMultiple').isChecked());
  await press(page, 'event/1/remove');
  await press(page, 'event/1/remove');
  assert.equal(await field(page, 'correlationKey').inputValue(), 'a');
  await field(page, 'correlationKey').fill('b');
  await field(page, 'addDefinition').selectOption('Timer');
  await field(page, 'event/1/timeDuration').fill('PT5M');
  await page.getByText('5 minutes', { exact: true }).waitFor();
  await field(page, 'event/1/timeZone').fill('Europe/Rome');
  await field(page, 'parallelMultiple').check();
  await sound(page);
  const xml = await exported(page);
  assert.match(xml, /<(bpmn:)?intermediateCatchEvent id="both" parallelMultiple="true"/);
  assert.match(xml, /messageEventDefinition [^>]*correlationKey="b"/);
  assert.match(xml, /timerEventDefinition [^>]*timeZone="Europe\/Rome"/);
  await shots(page, 'designer-several');

  // Of what ends the scope one is thrown; what is thrown takes its own data along.
  await select(page, 'e2');
  const offered = await field(page, 'addDefinition').locator('option').evaluateAll((all) => all.map(({ value }) => value));
  assert.ok(offered.includes('Escalation') && !offered.includes('Terminate') && !offered.includes('Timer'), `${offered}`);
  await field(page, 'event/0/data').fill('{"c": 3}');
  await page.keyboard.press('Tab');
  await sound(page);
  assert.match(await exported(page), /signalEventDefinition [^>]*data="\{&#34;c&#34;: 3\}|signalEventDefinition [^>]*data="\{&quot;c&quot;: 3\}/);

  // A problem of one of several leads to its field.
  await select(page, 'either');
  await field(page, 'event/1/timeCycle').fill('often');
  await page.keyboard.press('Tab');
  await problems(page, 'error');
  await select(page, 'severalEvents');
  await page.locator('[data-testid="problem-list"] [data-severity="error"] button').first().click();
  assert.equal(await page.evaluate(() => document.activeElement.dataset.field), 'event/1/timeCycle');
  await field(page, 'event/1/timeCycle').fill('R3/PT1H');
  await page.keyboard.press('Tab');
  await sound(page);
}

async function activities(page) {
  await select(page, 'ask');
  await unfold(page);
  await field(page, 'startQuantity').fill('0');
  await page.getByText('expected a whole number of 1 to 100, but got 0; correct it').waitFor();
  await field(page, 'startQuantity').fill('4');
  await field(page, 'completionQuantity').fill('1');
  await press(page, 'complex/add');
  await field(page, 'complex/2/condition').fill('${numberOfCompletedInstances == 1}');
  await field(page, 'complex/2/event/0/signal').selectOption({ label: 'half' });
  await sound(page);
  await press(page, 'complex/0/event/add');
  await field(page, 'complex/0/event/2/behaviorEvent').selectOption('bpmn:EscalationEventDefinition');
  await press(page, 'complex/0/event/2/remove');
  await press(page, 'complex/1/remove');
  await sound(page);
  await shots(page, 'designer-complex');
  const xml = await exported(page);
  assert.match(xml, /id="ask"[^>]* startQuantity="4"/);
  assert.equal(xml.match(/<(bpmn:)?complexBehaviorDefinition/g).length, 2);
  await field(page, 'behavior').selectOption('All');
  assert.doesNotMatch(await exported(page), /complexBehaviorDefinition|behavior="Complex"/);
  await sound(page);
  await select(page, 'begins');
  assert.ok(await field(page, 'instantiate').isChecked());
  assert.equal(await field(page, 'correlationKey').count(), 0);
  await select(page, 'st');
  await unfold(page);
  await press(page, 'time/add');
  await field(page, 'time/2/when').selectOption('timeDate');
  await press(page, 'time/1/remove');
  await sound(page);
  assert.match(await exported(page), /<(bpmn:)?timeDate[^>]*>2030-01-01T09:00:00Z/);
}

/** Global tasks are beside the canvas, and have fields and actions as other tasks. */
async function globals(page) {
  await select(page, 'globalAsk');
  assert.equal(await field(page, 'assignee').inputValue(), '${boss}');
  await page.locator('#properties [data-action="answer"]').waitFor();
  await field(page, 'name').fill('Ask everybody');
  await select(page, 'globalSum');
  assert.match(await field(page, 'script').inputValue(), /input\.a < 3/);
  await field(page, 'id').fill('globalTotal');
  await select(page, 'severalEvents');
  await unfold(page);
  await field(page, 'addGlobalTask').selectOption('bpmn:GlobalManualTask');
  await page.locator('#properties [data-focus="global/remove"]').waitFor();
  await shots(page, 'designer-global-task');
  await sound(page);
  let xml = await exported(page);
  assert.match(xml, /<(bpmn:)?globalManualTask id="\w+"/);
  assert.match(xml, /globalUserTask id="globalAsk" name="Ask everybody"/);
  assert.match(xml, /globalScriptTask id="globalTotal"[\s\S]*<(bpmn:)?script>(<!\[CDATA\[)?output\.sum/);
  await press(page, 'global/remove');
  await page.getByTestId('undo').click();
  await page.getByTestId('redo').click();
  xml = await exported(page);
  assert.doesNotMatch(xml, /globalManualTask/);
}

/** What events refer to, as a list. */
async function roots(page) {
  await select(page, 'severalEvents');
  await unfold(page);
  assert.equal(await field(page, 'root/Message/1/correlationKey').inputValue(), '${order.id}');
  assert.equal(await page.locator('#properties [data-focus="root/Signal/0/remove"]').count(), 0, 'it is referred to');
  await press(page, 'root/Escalation/1/remove');
  await press(page, 'root/Error/add');
  await field(page, 'root/Error/1/errorCode').fill('other');
  await sound(page);
  await shots(page, 'designer-messages');
  const xml = await exported(page);
  assert.doesNotMatch(xml, /Nobody asks/);
  assert.match(xml, /<(bpmn:)?error id="[^"]+" name="other" errorCode="other"/);
}

await play(async (browser, watch) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light', acceptDownloads: true });
  const page = watch(await context.newPage());
  page.on('dialog', (dialog) => dialog.accept());
  await page.goto(`${baseUrl()}/sign-in`);
  await page.getByLabel('Token').fill(tokens.dora);
  await page.getByRole('main').getByRole('button', { name: 'Sign in by token' }).click();
  await page.waitForURL('**/admin/processes');
  await page.goto(`${baseUrl()}/admin/designer/new?template=blank`);
  await problems(page, '1 warning');
  await allThere(page);
  await severalDefinitions(page);
  await activities(page);
  await globals(page);
  await roots(page);
});
