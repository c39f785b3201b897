// Opens every example, and a file with every field there is, in the designer and exports it again: nothing may be lost. The server reads the export as the same
// definition. A definition in the JSON form is drawn, and means the same, too.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { baseUrl, play } from './chromium.mjs';

const tokens = JSON.parse(process.env.TOKENS ?? '{}');

async function ask(path, method = 'GET', type = 'application/json', body = undefined) {
  const headers = { authorization: `Bearer ${tokens.dora}`, 'content-type': type };
  const response = await fetch(`${baseUrl()}${path}`, { method, headers, body });
  assert.ok(response.ok, `${path} answered ${response.status}: ${await response.clone().text()}`);
  return response.json();
}

async function exported(page, id) {
  await page.goto(`${baseUrl()}/admin/designer/${id}`);
  await page
    .getByTestId('problem-count')
    .filter({ hasText: /No problems|warning/ })
    .waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('export').click()]);
  return readFile(await download.path(), 'utf8');
}

/** The same definition, apart from the order of nodes and flows, which means nothing. */
function sorted(definition) {
  const byId = (one, other) => (one.id < other.id ? -1 : 1);
  return { ...definition, nodes: [...definition.nodes].sort(byId), flows: [...definition.flows].sort(byId) };
}

await play(async (browser, watch) => {
  const page = watch(await (await browser.newContext({ acceptDownloads: true })).newPage());
  await page.goto(`${baseUrl()}/sign-in`);
  await page.getByLabel('Token').fill(tokens.dora);
  await page.getByRole('main').getByRole('button', { name: 'Sign in by token' }).click();
  await page.waitForURL('**/admin/processes');

  const examples = (await readdir('../../examples')).filter((name) => name.endsWith('.bpmn'));
  for (const file of ['everything.bpmn', 'events.bpmn', 'several.bpmn', ...examples.map((name) => `../../examples/${name}`)]) {
    const source = await readFile(file, 'utf8');
    const { id, version } = await ask('/v1/definitions?publish=true', 'POST', 'application/xml', source);
    const again = await ask('/v1/definitions', 'POST', 'application/xml', await exported(page, id));
    assert.equal(again.id, id);
    assert.deepEqual(await ask(`/v1/definitions/${id}/${again.version}`), await ask(`/v1/definitions/${id}/${version}`), file);

    // A global task comes out of its JSON form as one.
    if (file === 'several.bpmn') {
      const task = { ...(await ask('/v1/definitions/globalAsk/1')), id: 'askAgain' };
      task.nodes[0].id = task.id;
      await ask('/v1/definitions', 'POST', 'application/json', JSON.stringify(task));
      const drawn = await ask('/v1/definitions', 'POST', 'application/xml', await exported(page, task.id));
      assert.deepEqual(await ask(`/v1/definitions/askAgain/${drawn.version}`), await ask('/v1/definitions/askAgain/1'), 'a global task');
    }

    const json = { ...(await ask(`/v1/definitions/${id}/${version}`)), id: `${id}Json`, alias: undefined };
    await ask('/v1/definitions', 'POST', 'application/json', JSON.stringify(json));
    const drawn = await ask('/v1/definitions', 'POST', 'application/xml', await exported(page, json.id));
    const [before, after] = [await ask(`/v1/definitions/${json.id}/1`), await ask(`/v1/definitions/${json.id}/${drawn.version}`)];
    assert.deepEqual(sorted(after), sorted(before), `${file} from its JSON form`);
  }
});
