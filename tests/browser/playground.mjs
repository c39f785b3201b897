// Sends frames by hand and by saved scripts, reads the log of the wire, and records what was sent as a scenario, which
// `stepwire test` plays. TOKENS holds a token for each user, as JSON.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseUrl, play, shots } from './chromium.mjs';

const tokens = JSON.parse(process.env.TOKENS ?? '{}');
const said = (page, words) => page.getByTestId('said').filter({ hasText: words }).waitFor();

/** A task that comes by itself a second after the start. */
const TICK = {
  id: 'tick',
  nodes: [
    { id: 'start', type: 'startEvent' },
    { id: 'later', type: 'intermediateCatchEvent', event: { type: 'timer', when: { duration: 'PT1S' } } },
    { id: 'work', type: 'userTask', actions: [{ name: 'done', trigger: 'manual', type: 'saveData', keys: [{ path: 'text' }] }] },
    { id: 'end', type: 'endEvent' },
  ],
  flows: [
    { id: 'f1', source: 'start', target: 'later' },
    { id: 'f2', source: 'later', target: 'work' },
    { id: 'f3', source: 'work', target: 'end' },
  ],
};
const DETAILS = { client: { firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.org', age: 36, income: 52000 } };

async function send(page, ...frames) {
  await page.getByLabel('Frames', { exact: true }).fill(frames.map((frame) => JSON.stringify(frame)).join('\n'));
  await page.getByTestId('send').click();
}

/** Stops, and plays what was recorded. */
async function replay(page) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('record').click()]);
  const file = join(mkdtempSync(join(tmpdir(), 'recorded-')), download.suggestedFilename());
  await download.saveAs(file);
  const text = await readFile(file, 'utf8');
  try {
    assert.match(execFileSync(process.env.STEPWIRE_PROGRAM, ['test', file], { encoding: 'utf8' }), /^good/m);
  } catch (error) {
    throw new Error(`${error.stdout ?? error}\n${text.replace(/bpmn: \|[^]*?users:/, 'users:')}`);
  }
  return text;
}

await play(async (browser, watch) => {
  const deployed = await fetch(`${baseUrl()}/v1/definitions?publish=true`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokens.root}`, 'content-type': 'application/json' },
    body: JSON.stringify(TICK),
  });
  assert.ok(deployed.ok, await deployed.text());
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light', acceptDownloads: true });
  const page = watch(await context.newPage());
  await page.goto(`${baseUrl()}/sign-in?to=/admin/playground`);
  await page.getByLabel('Token').fill(tokens.root);
  await page.getByRole('main').getByRole('button', { name: 'Sign in by token' }).click();
  await page.waitForURL('**/admin/playground');

  // What is no script is said so, and nothing is sent.
  await page.getByLabel('Frames', { exact: true }).fill('{"type": "start"} nonsense');
  await page.getByTestId('send').click();
  await said(page, "line 1 has 'n'");
  await send(page, { type: 'run', instance: '$instance' });
  await said(page, 'a value for $instance');
  await page.getByTestId('connection').filter({ hasText: 'Live' }).waitFor();

  await page.getByTestId('record').click();
  await send(page, { type: 'start', process: 'onboarding' }, { wait: { type: 'progress' } });
  await said(page, '2 of 2 done');
  await send(page, { type: 'run', instance: '$instance', action: 'save', data: { client: {} } });
  await said(page, 'invalid_data');
  await send(page, { type: 'run', instance: '$instance', action: 'save', data: DETAILS });
  await said(page, '1 of 1 done');
  // A button writes the frame of an action.
  const onboarding = page.locator('[data-process="onboarding"]');
  await onboarding.getByRole('button', { name: 'Write simulate' }).click();
  assert.match(await page.getByLabel('Frames', { exact: true }).inputValue(), /"action": "simulate"/);
  await send(page, { type: 'run', instance: '$instance', action: 'simulate', element: '$element', data: { loan: { amount: 10000, months: 24 } } });
  await said(page, '1 of 1 done');
  await page.getByTestId('recorded').filter({ hasText: /Recording: \d+ steps/ }).waitFor();
  await shots(page, 'playground');
  const scenario = await replay(page);
  assert.match(scenario, /"refused":"invalid_data"/);
  assert.match(scenario, /"run":"simulate"/);

  // What time moves is in it, too; so is another instance and a command at an element.
  await page.getByTestId('record').click();
  await send(page, { type: 'start', process: 'tick', businessKey: '${me}-7' }, { wait: { type: 'progress', nodes: { 0: { node: 'work' } } } });
  await said(page, '2 of 2 done');
  await send(page, { type: 'claim', instance: '$instance', element: '$element' }, { type: 'run', instance: '$instance', element: '$element', action: 'done', data: { text: 'it is' } });
  await said(page, '2 of 2 done');
  const timed = await replay(page);
  assert.match(timed, /"advance":"PT/);
  assert.match(timed, /"claim":"work"/);
  assert.match(timed, /"run":"done","node":"work"/);

  // Scripts are kept in this browser.
  await page.getByLabel('Frames', { exact: true }).fill('{"type": "start", "process": "tick"}');
  await page.getByLabel('Name', { exact: true }).fill('begin');
  await page.getByTestId('save-script').click();
  await said(page, "Saved in this browser as 'begin'");
  await page.reload();
  await page.getByTestId('scripts').selectOption('begin');
  assert.equal(await page.getByLabel('Frames', { exact: true }).inputValue(), '{"type": "start", "process": "tick"}');
  await page.getByTestId('drop-script').click();
  await said(page, 'is deleted');
  assert.deepEqual(await page.getByTestId('scripts').locator('option').allTextContents(), ['None yet']);

  // A visitor without a token, whose tokens are masked in the log.
  await page.getByTestId('identity').selectOption('visitor');
  await page.getByTestId('record').click();
  await send(page, { type: 'start', process: 'onboarding' });
  await said(page, '1 of 1 done');
  const reply = page.getByTestId('wire-list').locator('[data-frame="reply"]').first();
  await reply.locator('summary').click();
  await reply.getByText('"token": "…"').waitFor();
  assert.match(await replay(page), /"visitor": \{"anonymous":true\}/);
  await page.getByTestId('connect').click();
  await page.getByTestId('connection').waitFor({ state: 'hidden' });
});
