// Every field of what the engine runs, on a model that has all of it: which fields an element has, what they hold, and that a mistake in one is a
// problem which leads back to it. The menus offer what runs. TOKENS holds a token for each user, as JSON.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { baseUrl, play, shots } from './chromium.mjs';

const tokens = JSON.parse(process.env.TOKENS ?? '{}');
const problems = (page, part) => page.getByTestId('problem-count').filter({ hasText: part }).waitFor();
const field = (page, name) => page.locator(`#properties [data-field="${name}"]`);

/** The fields of an element beside its actions, by name. */
async function fieldsOf(page, element) {
  await page.getByTestId('element').selectOption(element);
  return page
    .locator('#properties details:not([data-open="actions"]) [data-field]')
    .evaluateAll((all) => all.map((one) => one.dataset.field));
}

const GENERAL = ['name', 'id', 'documentation', 'canGoBack'];
const LOOPED = ['collection', 'item', 'loopCardinality', 'completionCondition', 'outputKey', 'output', 'behavior'];
const TOKENS_OF = ['startQuantity', 'completionQuantity'];
const EXPECTED = {
  byMessage: [...GENERAL, 'startCondition', 'when', 'message', 'messageName', 'addDefinition'],
  bySignal: [...GENERAL, 'startCondition', 'when', 'signal', 'signalName', 'addDefinition'],
  onMessage: [...GENERAL, 'cancelActivity', 'message', 'messageName', 'correlationKey', 'addDefinition'],
  onSignal: [...GENERAL, 'cancelActivity', 'signal', 'signalName', 'addDefinition'],
  onData: [...GENERAL, 'cancelActivity', 'condition', 'addDefinition'],
  again: [...GENERAL, 'isForCompensation', 'loop', 'loopCondition', 'testBefore', 'loopMaximum', ...TOKENS_OF],
  thrice: [...GENERAL, 'isForCompensation', 'loop', ...LOOPED, ...TOKENS_OF],
  send: [...GENERAL, 'isForCompensation', 'message', 'messageName', 'correlationKey', 'data', 'timeToLive', 'loop', ...TOKENS_OF],
  wait: [...GENERAL, 'instantiate'],
  cm: [...GENERAL, 'message', 'messageName', 'correlationKey', 'addDefinition'],
  ct: [...GENERAL, 'when', 'timeDuration', 'timeZone', 'addDefinition'],
  tm: [...GENERAL, 'message', 'messageName', 'correlationKey', 'data', 'timeToLive', 'addDefinition'],
  ts: [...GENERAL, 'signal', 'signalName', 'data', 'businessKey', 'addDefinition'],
  em: [...GENERAL, 'message', 'messageName', 'correlationKey', 'data', 'timeToLive', 'addDefinition'],
  ess: [...GENERAL, 'isInterrupting', 'escalation', 'escalationCode', 'addDefinition'],
};

/** Fields of elements that came later, on the model that the round trip is held by. */
const NEWER = {
  ah: ['completionCondition', 'ordering', 'cancelRemainingInstances', 'activeElements', 'loop'],
  rt: ['message', 'messageName', 'instantiate', 'correlationKey', 'loop'],
  ri: ['message', 'messageName', 'instantiate'],
  sm: ['message', 'messageName', 'correlationKey', 'data', 'timeToLive'],
  cg: ['activationCondition', 'default'],
};

/** What iterations throw is chosen, kept beside the process, and leaves it again. */
async function behavior(page) {
  await page.getByTestId('element').selectOption('ask');
  await field(page, 'behavior').selectOption('One');
  await field(page, 'signal').selectOption({ label: 'New signal…' });
  await field(page, 'signalName').fill('oneIsThere');
  await page.keyboard.press('Tab');
  await problems(page, /No problems|^0 errors/);
  const exported = async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('export').click()]);
    return readFile(await download.path(), 'utf8');
  };
  const thrown = await exported();
  assert.match(thrown, /behavior="One"/);
  const [, id] = /oneBehaviorEventRef="([^"]+)"/.exec(thrown);
  assert.match(thrown, new RegExp(`<bpmn:signalEventDefinition id="${id}"|<signalEventDefinition id="${id}"`));
  await field(page, 'behaviorEvent').selectOption('bpmn:EscalationEventDefinition');
  await field(page, 'escalation').selectOption({ label: 'New escalation…' });
  await problems(page, /No problems|^0 errors/);
  await shots(page, 'designer-behavior');
  await field(page, 'behavior').selectOption('All');
  const without = await exported();
  assert.doesNotMatch(without, /BehaviorEventRef|behavior=/);
  await problems(page, /No problems|^0 errors/);
}

async function open(page, file) {
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByTestId('import').click()]);
  await chooser.setFiles(file);
}

async function mistake(page, element, name, wrong, leads = name) {
  await page.getByTestId('element').selectOption(element);
  await field(page, name).evaluate((input) => (input.closest('details').open = true));
  const before = await field(page, name).inputValue();
  await field(page, name).fill(wrong);
  await page.keyboard.press('Tab');
  await problems(page, 'error');
  await page.getByTestId('element').selectOption('everyEvent');
  await page.locator('[data-testid="problem-list"] [data-severity="error"] button').first().click();
  assert.equal(await page.evaluate(() => document.activeElement.dataset.field), leads, `${element} ${name}: ${await page.getByTestId('problem-list').innerText()}`);
  await field(page, name).fill(before);
  await page.keyboard.press('Tab');
  await problems(page, /No problems|^0 errors/);
}

/** What the menu of kinds offers for an element. */
async function menu(page, element) {
  await page.getByTestId('element').selectOption(element);
  await page.locator(`.djs-context-pad [data-action="replace"]`).click();
  const entries = await page.locator('.djs-popup [data-id^="replace-with"]').evaluateAll((all) => all.map((one) => one.dataset.id));
  await page.keyboard.press('Escape');
  return entries.map((name) => name.replace('replace-with-', '')).sort();
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
  await open(page, 'events.bpmn');
  await problems(page, /No problems|^0 errors/);

  for (const [element, expected] of Object.entries(EXPECTED)) assert.deepEqual(await fieldsOf(page, element), expected, element);
  const ask = await fieldsOf(page, 'ask');
  for (const name of ['candidateGroups', 'loop', ...LOOPED, 'inputs/0/source', 'inputs/1/source', 'inputs/1/target', 'outputs/0/target'])
    assert.ok(ask.includes(name), `ask ${name}: ${ask}`);
  assert.equal(await field(page, 'loop').inputValue(), 'sequential');
  assert.equal(await field(page, 'inputs/1/source').inputValue(), '{"a": "${order.id}"}');
  await page.locator('#properties [data-open="loop"] > summary').click();
  await shots(page, 'designer-loop');

  // Roles by picking; messages are shared, and renamed for all.
  await page.getByRole('group', { name: 'Roles for Candidate groups' }).getByRole('button', { name: 'clerk' }).click();
  assert.equal(await field(page, 'candidateGroups').inputValue(), 'chief clerk');
  await page.getByTestId('element').selectOption('tm');
  await page.getByText('Shared with 3 others.').waitFor();
  await field(page, 'messageName').fill('settled');
  await page.getByTestId('element').selectOption('em');
  assert.equal(await field(page, 'messageName').inputValue(), 'settled');
  await field(page, 'message').selectOption({ label: 'New message…' });
  assert.equal(await field(page, 'messageName').inputValue(), 'message');
  await shots(page, 'designer-message');
  await problems(page, /No problems|^0 errors/);

  await page.getByTestId('element').selectOption('ct');
  await page.getByText('1 hour', { exact: true }).waitFor();
  await page.getByTestId('next-times').getByText(/^Next: /).waitFor();
  await field(page, 'when').selectOption('timeCycle');
  await field(page, 'timeCycle').fill('R3/PT10S');
  await page.getByText('3 times, every 10 seconds').waitFor();
  await page.getByTestId('next-times').getByText(/^Next: .+ · .+ · .+/).waitFor();
  await field(page, 'timeCycle').fill('0 9 * * 1-5');
  await page.getByText('at 09:00, on Monday to Friday').waitFor();
  await field(page, 'timeCycle').fill('R3/PT10S');

  await mistake(page, 'ct', 'timeCycle', 'often');
  await mistake(page, 'onData', 'condition', 'order.cancelled = 3');
  await mistake(page, 'ask', 'completionCondition', 'x = 1');
  await mistake(page, 'again', 'loopCondition', 'x = 1');
  await mistake(page, 'send', 'timeToLive', 'soon');
  await mistake(page, 'ask', 'inputs/0/target', 'a b');

  // The menus offer what runs, and nothing else.
  const kinds = (await page.locator('#designer').getAttribute('data-kinds')).split(' ');
  const tasks = await menu(page, 'thrice');
  for (const [entry, kind] of [['receive-task', 'receiveTask'], ['user-task', 'userTask'], ['rule-task', 'businessRuleTask'], ['manual-task', 'manualTask']])
    assert.equal(tasks.includes(entry), kinds.includes(kind), `${entry}: ${tasks}`);
  const ends = await menu(page, 'e');
  for (const entry of ['message-end', 'signal-end', 'escalation-end', 'error-end', 'compensation-end', 'terminate-end'])
    assert.ok(ends.includes(entry), `${entry}: ${ends}`);
  const starts = await menu(page, 'st');
  assert.ok(starts.includes('message-start') && starts.includes('timer-start') && starts.includes('conditional-start') && !starts.includes('error-start'), `${starts}`);
  const inner = await menu(page, 'ess');
  assert.ok(inner.includes('conditional-start') && inner.includes('non-interrupting-message-start'), `${inner}`);
  const waiting = await menu(page, 'cm');
  assert.ok(waiting.includes('conditional-intermediate-catch') && waiting.includes('signal-intermediate-catch'), `${waiting}`);

  await behavior(page);
  await open(page, 'everything.bpmn');
  await page.locator('#element option[value="ah"]').waitFor({ state: 'attached' });
  for (const [element, names] of Object.entries(NEWER)) {
    const found = await fieldsOf(page, element);
    for (const name of names) assert.ok(found.includes(name), `${element} ${name}: ${found}`);
  }
});
