// Plays a page that follows an instance by a plain EventSource and the cookie of a sign-in: the server is killed in between and comes
// back, the browser reconnects by itself, nothing is lost or doubled, and after the end it stays away.
import assert from 'node:assert/strict';
import { baseUrl, checkpoint, play } from './chromium.mjs';

const tokens = JSON.parse(process.env.TOKENS ?? '{}');

async function ask(path, body) {
  const headers = { authorization: `Bearer ${tokens.ada}`, 'content-type': 'application/json' };
  const response = await fetch(`${baseUrl()}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.ok(response.ok, `${path} answered ${response.status}: ${await response.clone().text()}`);
  return response.json();
}

/** Follows as a page would: keeps a number per channel, and notes what does not follow the one before. */
function follow(path) {
  const cursors = {};
  window.seen = { gaps: [], snapshots: 0, opened: 0, nodes: [], last: null };
  window.source = new EventSource(path);
  window.source.onopen = () => (window.seen.opened += 1);
  window.source.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    window.seen.last = frame;
    window.seen.nodes.push(...(frame.nodes ?? []).map(({ node }) => node));
    if (frame.type === 'snapshot') window.seen.snapshots += 1;
    else if (frame.channel && frame.prev !== (cursors[frame.channel] ?? 0)) window.seen.gaps.push(data);
    if (frame.channel) cursors[frame.channel] = frame.seq;
  };
}

await play(async (browser, watch) => {
  const context = await browser.newContext();
  const page = watch(await context.newPage());
  await page.goto(`${baseUrl()}/sign-in`);
  await page.getByLabel('Token').fill(tokens.ada);
  await page.getByRole('main').getByRole('button', { name: 'Sign in by token' }).click();
  await page.waitForLoadState();
  const { instance } = await ask('/v1/instances', { process: 'onboarding' });
  await page.goto(`${baseUrl()}/`);
  await page.evaluate(follow, `/v1/instances/${instance}/stream`);
  await page.waitForFunction(() => window.seen.snapshots === 1);

  await checkpoint('kill and restart the server');
  const client = { firstName: 'Ada', lastName: 'Byron', email: 'ada@example.org', age: 36, income: 50000 };
  await ask(`/v1/instances/${instance}/run`, { action: 'save', data: { client } });
  await page.waitForFunction(() => window.seen.nodes.includes('review'));
  await ask(`/v1/instances/${instance}/run`, { action: 'confirm', data: { consent: true } });
  await page.waitForFunction(() => window.seen.last?.type === 'bye');
  assert.equal(await page.evaluate(() => window.seen.last.reason), 'ended');
  // It comes back once more, is told that there is nothing left, and stays away.
  await page.waitForFunction(() => window.source.readyState === EventSource.CLOSED);
  const seen = await page.evaluate(() => window.seen);
  assert.deepEqual([seen.gaps, seen.snapshots, seen.opened], [[], 1, 2]);
});
