// What may go wrong while a process is drawn: a subprocess copied into itself, a page that is left, access that is taken away, a
// model of thousands of nodes. TOKENS holds a token for each user, as JSON.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { baseUrl, play, shots } from './chromium.mjs';

const tokens = JSON.parse(process.env.TOKENS ?? '{}');
const problems = (page, part) => page.getByTestId('problem-count').filter({ hasText: part }).waitFor({ timeout: 120_000 });
const said = (page, part) => page.getByTestId('saved').filter({ hasText: part }).waitFor({ timeout: 60_000 });

async function ask(user, method, path, body) {
  const headers = { authorization: `Bearer ${tokens[user]}`, 'content-type': 'application/json' };
  const response = await fetch(`${baseUrl()}${path}`, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${path} answered ${response.status}: ${await response.clone().text()}`);
}

async function signIn(browser, watch, fill) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  const page = watch(await context.newPage());
  await page.goto(`${baseUrl()}/sign-in`);
  await fill(page);
  await page.waitForURL('**/admin/processes');
  return page;
}

const byToken = (user) => async (page) => {
  await page.getByLabel('Token').fill(tokens[user]);
  await page.getByRole('main').getByRole('button', { name: 'Sign in by token' }).click();
};

async function open(page, name, text) {
  await page.goto(`${baseUrl()}/admin/designer/new?template=blank`);
  await problems(page, '1 warning');
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByTestId('import').click()]);
  await chooser.setFiles({ name, mimeType: 'application/xml', buffer: Buffer.from(text) });
}

const HEAD = `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:stepwire="https://stepwire.dev/schema/bpmn/1.0"
  targetNamespace="https://stepwire.dev/tests">`;
const NESTED = `${HEAD}
  <process id="nested" isExecutable="true">
    <startEvent id="start" /><subProcess id="outer" name="Outer">
      <startEvent id="begin" /><subProcess id="inner" name="Inner">
        <startEvent id="first" /><userTask id="ask" name="Ask"><extensionElements><stepwire:actions>
          <stepwire:action name="save" order="1" type="saveData" trigger="manual"><stepwire:key path="a" /></stepwire:action>
        </stepwire:actions></extensionElements></userTask><endEvent id="last" />
        <sequenceFlow id="i1" sourceRef="first" targetRef="ask" /><sequenceFlow id="i2" sourceRef="ask" targetRef="last" />
      </subProcess><endEvent id="done" />
      <sequenceFlow id="o1" sourceRef="begin" targetRef="inner" /><sequenceFlow id="o2" sourceRef="inner" targetRef="done" />
    </subProcess><endEvent id="end" />
    <sequenceFlow id="f1" sourceRef="start" targetRef="outer" /><sequenceFlow id="f2" sourceRef="outer" targetRef="end" />
  </process></definitions>`;

/** A collapsed subprocess is opened by itself, with the way back above it. */
async function drillDown(page) {
  await open(page, 'nested.bpmn', NESTED);
  await problems(page, /No problems|^0 errors/);
  await page.locator('.bjs-drilldown').first().click();
  await page.locator('.bjs-breadcrumbs').getByText('Outer').waitFor();
  await shots(page, 'designer-subprocess');
  await page.locator('.bjs-breadcrumbs a').first().click();
}

/** Lanes of a model without a drawing are bands that hold their nodes; a model with none is left as it is. */
async function lanes(page) {
  const text = `${HEAD}<process id="laned" isExecutable="true">
    <laneSet id="all"><lane id="upper" name="Front office"><flowNodeRef>start</flowNodeRef><flowNodeRef>a</flowNodeRef><flowNodeRef>late</flowNodeRef><flowNodeRef>end</flowNodeRef></lane>
      <lane id="lower" name="Back office"><childLaneSet id="inner">
        <lane id="left" name="Clerks"><flowNodeRef>b</flowNodeRef></lane><lane id="right" name="Chief"><flowNodeRef>c</flowNodeRef></lane>
      </childLaneSet></lane></laneSet>
    <startEvent id="start"/><userTask id="a"/><userTask id="b"/><userTask id="c"/><endEvent id="end"/>
    <boundaryEvent id="late" attachedToRef="a"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>
    <sequenceFlow id="f1" sourceRef="start" targetRef="a"/><sequenceFlow id="f2" sourceRef="a" targetRef="b"/>
    <sequenceFlow id="f3" sourceRef="b" targetRef="c"/><sequenceFlow id="f4" sourceRef="c" targetRef="end"/>
    <sequenceFlow id="f5" sourceRef="late" targetRef="c"/></process></definitions>`;
  await open(page, 'laned.bpmn', text);
  await page.locator('.djs-shape[data-element-id="lower"]').waitFor({ state: 'attached' });
  const box = (id) => page.locator(`.djs-shape[data-element-id="${id}"] > .djs-visual`).boundingBox();
  const [upper, lower, left, right] = await Promise.all(['upper', 'lower', 'left', 'right'].map(box));
  const within = (inner, outer) => inner.y >= outer.y - 3 && inner.y + inner.height <= outer.y + outer.height + 3;
  for (const [node, lane] of [['start', upper], ['a', upper], ['end', upper], ['b', left], ['c', right]]) assert.ok(within(await box(node), lane), node);
  assert.ok(within(left, lower) && within(right, lower) && lower.y >= upper.y + upper.height - 3);
  await shots(page, 'designer-lanes');
}

/** What is in a copied subprocess gets ids of its own, down to the flows, and keeps its actions. */
async function copyNested(page) {
  await open(page, 'nested.bpmn', NESTED);
  await problems(page, /No problems|^0 errors/);
  const ids = () => page.locator('#element option').evaluateAll((all) => all.map((one) => one.value));
  const before = await ids();
  await page.getByTestId('element').selectOption('outer');
  await page.locator('[data-testid="canvas"] .djs-container > svg').focus();
  await page.keyboard.press('Control+C');
  await page.keyboard.press('Control+V');
  await page.waitForFunction((count) => document.querySelectorAll('#element option').length >= count + 5, before.length);
  const after = await ids();
  assert.equal(new Set(after).size, after.length, 'every id is there once');
  const asked = await page.locator('#element option', { hasText: 'Ask' }).evaluateAll((all) => all.map((one) => one.value));
  assert.equal(asked.length, 2);
  for (const id of asked) {
    await page.getByTestId('element').selectOption(id);
    assert.equal(await page.getByTestId('action').count(), 1, id);
  }
  // The server finds no id twice either.
  await page.getByTestId('problem-list').getByText('twice').waitFor({ state: 'detached' });
  await page.getByTestId('undo').click();
  await page.waitForFunction((count) => document.querySelectorAll('#element option').length === count, before.length);
}

/** Who leaves with changes is asked; who has saved is not. */
async function leave(page) {
  const asked = [];
  const stay = (dialog) => {
    asked.push(dialog.type());
    return dialog.dismiss();
  };
  page.on('dialog', stay);
  await page.getByTestId('element').selectOption('ask');
  await page.getByTestId('group-general').getByLabel('Name', { exact: true }).fill('Ask again');
  await page.evaluate(() => location.assign('/admin/processes'));
  await page.waitForTimeout(300);
  assert.deepEqual(asked, ['beforeunload']);
  assert.match(page.url(), /designer/);
  await page.getByTestId('save').click();
  await said(page, 'Saved as version 1');
  await page.goto(`${baseUrl()}/admin/processes`);
  assert.deepEqual(asked, ['beforeunload']);
  page.off('dialog', stay);
}

/** An id that cannot be taken is not saved under the former one; what is changed while a save runs is not saved, and kept. */
async function saving(page) {
  await page.goto(`${baseUrl()}/admin/designer/nested`);
  await problems(page, /No problems|^0 errors/);
  const general = page.getByTestId('group-general');
  await page.getByTestId('element').selectOption('ask');
  await general.getByLabel('Id', { exact: true }).fill('not an id');
  await page.getByTestId('save').click();
  await page.getByTestId('trouble').getByText('Not saved: Id: expected a letter first').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.dataset.field), 'id');
  await general.getByLabel('Id', { exact: true }).fill('ask');
  let answer;
  const asked = new Promise((resolve) => (answer = resolve));
  let go;
  const held = new Promise((resolve) => (go = resolve));
  const save = /\/v1\/definitions\?publish/;
  await page.route(save, async (route) => {
    answer();
    await held;
    await route.continue();
  });
  await general.getByLabel('Name', { exact: true }).fill('Before');
  await page.getByTestId('save').click();
  await asked;
  await general.getByLabel('Name', { exact: true }).fill('Meanwhile');
  await page.keyboard.press('Tab');
  go();
  await said(page, 'What you changed meanwhile is not saved yet.');
  await page.getByTestId('state').filter({ hasText: 'changed' }).waitFor();
  await page.unroute(save);
  // Who asks for a version sees that version, and is offered the changes.
  const other = await page.context().newPage();
  await other.goto(`${baseUrl()}/admin/designer/nested?version=1`);
  await other.getByTestId('news').getByRole('button', { name: 'Open your changes' }).click();
  await other.getByTestId('element').selectOption('ask');
  assert.equal(await other.getByTestId('group-general').getByLabel('Name', { exact: true }).inputValue(), 'Meanwhile');
  await other.getByTestId('news').getByRole('button', { name: 'Drop them' }).click();
  await said(other, 'Your changes are dropped.');
  await other.close();
  await page.bringToFront();
  await page.getByTestId('save').click();
  await said(page, 'Saved as version 3');
}

/** Tokens that are revoked while somebody draws: it is said, and nothing drawn is lost. */
async function takenAway(browser, watch) {
  await ask('root', 'POST', '/v1/users', { name: 'nina', password: 'correct horse battery', roles: ['designer'] });
  const byPassword = async (page) => {
    await page.getByLabel('Name').fill('nina');
    await page.getByLabel('Password').fill('correct horse battery');
    await page.getByRole('main').getByRole('button', { name: 'Sign in', exact: true }).click();
  };
  const nina = await signIn(browser, watch, byPassword);
  await nina.goto(`${baseUrl()}/admin/designer/nested`);
  await problems(nina, /No problems|^0 errors/);
  await nina.getByTestId('element').selectOption('ask');
  await nina.getByTestId('group-general').getByLabel('Name', { exact: true }).fill('Hers');
  await ask('root', 'PATCH', '/v1/users/nina', { roles: [] });
  await ask('root', 'POST', '/v1/users/nina/revoke');
  await nina.getByTestId('save').click();
  await nina.getByTestId('trouble').getByText('What you drew is kept in this browser').waitFor();
  assert.equal(await nina.getByTestId('group-general').getByLabel('Name', { exact: true }).inputValue(), 'Hers');
}

/** A file with mistakes that other tools let pass is opened all the same, and what is left out is named. */
async function mistakes(page) {
  const text = `${HEAD}<process id="slips" isExecutable="true"><startEvent id="start" documentation="Here" />
    <userTask id="ask"><extensionElements><stepwire:actions><stepwire:action name="save" order="1" type="saveData" trigger="manual">
      <stepwire:key path="a" schema="{}" /></stepwire:action></stepwire:actions></extensionElements></userTask>
    <exclusiveGateway id="big" name="Big?" /><task id="more" /><endEvent id="end" />
    <sequenceFlow id="f1" sourceRef="start" targetRef="ask" conditionExpression="\${a}" /><sequenceFlow id="f2" sourceRef="ask" targetRef="big" />
    <sequenceFlow id="lost" sourceRef="ask" targetRef="nowhere" /><sequenceFlow id="f3" sourceRef="big" targetRef="end" />
    <sequenceFlow id="f4" sourceRef="big" targetRef="more" /><sequenceFlow id="f5" sourceRef="more" targetRef="end" /></process></definitions>`;
  await open(page, 'slips.bpmn', text);
  await page.locator('#news').getByText('the flow lost leads to nowhere, which does not exist: it was left out').waitFor();
  await page.getByTestId('problem-list').getByText('schema').waitFor();
  assert.equal(await page.getByTestId('problem-list').locator('code', { hasText: 'schema' }).count(), 1);
  const [gateway, name] = await Promise.all(
    ['big', 'big_label'].map((id) => page.locator(`.djs-shape[data-element-id="${id}"] .djs-visual`).boundingBox()),
  );
  assert.ok(name.y + name.height <= gateway.y + 1, 'the name is above the gateway, from whose lower corner a flow leaves');
  const download = page.waitForEvent('download');
  await page.getByTestId('export').click();
  const xml = await readFile(await (await download).path(), 'utf8');
  for (const kept of ['documentation="Here"', 'schema="{}"', 'conditionExpression="${a}"']) assert.ok(xml.includes(kept), kept);
  assert.ok(!xml.includes('lost'));
}

/** Each entry of the palette creates by keyboard, has a tooltip, and can be reached on a low screen; a long model begins legibly. */
async function palette(page) {
  await page.goto(`${baseUrl()}/admin/designer/new?template=blank`);
  await problems(page, '1 warning');
  const entries = page.locator('.djs-palette .entry[data-action^="create."]');
  for (let at = 0; at < (await entries.count()); at++) {
    const before = await page.locator('#element option').count();
    await page.getByTestId('element').selectOption('start');
    await entries.nth(at).focus();
    await page.keyboard.press('Enter');
    const name = await entries.nth(at).getAttribute('title');
    assert.match(name, /^Create /);
    await page.waitForFunction((count) => document.querySelectorAll('#element option').length > count, before, { timeout: 5_000 });
  }
  await page.setViewportSize({ width: 1280, height: 620 });
  await entries.last().scrollIntoViewIfNeeded();
  const [last, list] = await Promise.all([entries.last().boundingBox(), page.locator('.below').boundingBox()]);
  assert.ok(last.y + last.height <= list.y, 'the last entry of the palette is above the list of problems');
  await page.setViewportSize({ width: 1280, height: 800 });
  const before = await page.locator('.viewport').first().getAttribute('transform');
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await page.waitForFunction((old) => document.querySelector('.viewport').getAttribute('transform') !== old, before);
}

/** With nothing selected, what the keyboard creates follows the only open end; else it is placed where the canvas is free. */
async function placing(page) {
  await page.goto(`${baseUrl()}/admin/designer/new?template=blank`);
  await problems(page, '1 warning');
  const elements = page.locator('#element option');
  const drawn = '.djs-shape:not([data-element-id$="_label"]) > .djs-visual';
  for (const [entry, flows] of [
    ['create.user-task', 1],
    ['create.end-event', 2],
    ['create.data-object', 2],
    ['create.task', 2],
    ['create.send-task', 3],
  ]) {
    const before = await elements.count();
    await page.getByTestId('element').selectOption({ index: 0 });
    await page.locator(`.djs-palette [data-action="${entry}"]`).focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction((count) => document.querySelectorAll('#element option').length > count, before);
    assert.equal(await elements.filter({ hasText: 'SequenceFlow' }).count(), flows, entry);
    const places = await page.locator(drawn).evaluateAll((shapes) => shapes.map((shape) => shape.getBoundingClientRect().toJSON()));
    const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    assert.ok(!places.some((a, at) => places.slice(at + 1).some((b) => meet(a, b))), `${entry} is placed on something else`);
  }
}

/** Ten thousand nodes without a drawing are laid out, checked, and worked on; what the server cannot take is kept as a file. */
async function many(page) {
  const count = 10_000;
  const nodes = Array.from({ length: count }, (_, i) => `<task id="t${i}"/>`).join('');
  const flows = Array.from({ length: count - 1 }, (_, i) => `<sequenceFlow id="f${i}" sourceRef="t${i}" targetRef="t${i + 1}"/>`).join('');
  const before = Date.now();
  await open(page, 'many.bpmn', `${HEAD}<process id="many" isExecutable="true">${nodes}${flows}</process></definitions>`);
  await problems(page, /No problems|warning|^0 errors/);
  await page.locator('.djs-shape[data-element-id="t9999"]').waitFor({ state: 'attached', timeout: 120_000 });
  console.log(`10,000 nodes were drawn after ${Math.round((Date.now() - before) / 1000)} s`);
  const first = await page.locator('.djs-shape[data-element-id="t0"] .djs-visual').boundingBox();
  assert.ok(first.width > 20, `expected the first task to be legible, but it is ${first.width} px wide`);
  const edited = Date.now();
  await page.getByTestId('element').selectOption('t5');
  await page.getByTestId('group-general').getByLabel('Name', { exact: true }).fill('Five');
  await said(page, /Kept in this browser|no space to keep it/);
  console.log(`and an edit was kept, or not, after ${Date.now() - edited} ms`);
  await page.getByTestId('save').click();
  await page.getByTestId('trouble').getByText('larger than the server accepts').waitFor({ timeout: 60_000 });
  const download = page.waitForEvent('download', { timeout: 60_000 });
  await page.getByTestId('trouble').getByRole('button', { name: 'Export BPMN' }).click();
  const text = await readFile(await (await download).path(), 'utf8');
  assert.match(text, /id="t5" name="Five"/);
  assert.equal(text.match(/<(bpmn:)?task /g).length, count);
}

await play(async (browser, watch) => {
  const page = await signIn(browser, watch, byToken('dora'));
  // Each in a browser of its own, which keeps no draft of another.
  for (const look of [drillDown, lanes, mistakes, palette, placing]) await look(await signIn(browser, watch, byToken('otto')));
  await copyNested(page);
  await leave(page);
  await saving(page);
  await takenAway(browser, watch);
  page.on('dialog', (dialog) => dialog.accept());
  await many(page);
});
