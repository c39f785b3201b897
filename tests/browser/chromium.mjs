// Starts the system's Chromium. It is never downloaded: without one a script ends with code 77, which means "skipped".
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const SKIPPED = 77;
/** A script takes some seconds, the longest under a minute; one that waits for something that never comes has to say so. */
const LONGEST_MS = 300_000;
const PHONE = { width: 375, height: 800 };
const PLACES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function executable() {
  return PLACES.filter(Boolean).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Runs `play` with a browser, and ends the process with code 0, 1 (failed) or 77 (no Chromium). Uncaught errors in a page are
 * failures too; `play` gets them by `watch(page)`.
 */
export async function play(body) {
  const executablePath = executable();
  if (!executablePath) {
    console.log("skipped: expected Chromium, but found none; install the system's package or set CHROMIUM to its path");
    process.exit(SKIPPED);
  }
  const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
  const errors = [];
  let code = 0;
  try {
    await Promise.race([body(browser, (page) => watch(page, errors)), tooLate()]);
    if (errors.length > 0) throw new Error(`expected pages without errors, but they had:\n${errors.join('\n')}`);
    console.log('PASSED');
  } catch (error) {
    console.error(error);
    for (const page of browser.contexts().flatMap((context) => context.pages())) await shot(page, `failed-${Date.now()}`);
    code = 1;
  }
  await browser.close();
  process.exit(code);
}

/** Fails when a script has taken far too long. */
async function tooLate() {
  await new Promise((done) => setTimeout(done, LONGEST_MS));
  throw new Error(`expected the script to end within ${LONGEST_MS / 1000} s, but it still waits for something`);
}

function watch(page, errors) {
  page.on('pageerror', (error) => errors.push(`${page.url()}: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    // A server that is being restarted refuses connections, which the browser reports by itself.
    // What a script is refused for a good reason, it says in the page; the browser reports it besides.
    const expected =
      /status of (401|403|409|413|422)|WebSocket connection to|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET/.test(
        message.text(),
      );
    if (message.type() === 'error' && !expected) errors.push(`${page.url()}: ${message.text()}`);
  });
  page.setDefaultTimeout(20_000);
  return page;
}

/** Saves a picture of the page into the folder `SCREENSHOTS`, when that is set. */
export async function shot(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  // What has just been given another size or theme is painted once more.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true, animations: 'disabled' });
}

/**
 * Pictures of the page as it is on a desktop and on a phone, where it must fit, in both themes; leaves it as it was. In both
 * themes everybody must be able to use it.
 */
export async function shots(page, name) {
  const size = page.viewportSize();
  await shot(page, `${name}-desktop`);
  await isAccessible(page, name);
  await page.emulateMedia({ colorScheme: 'dark' });
  await shot(page, `${name}-dark`);
  await isAccessible(page, `${name} in dark mode`);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(PHONE);
  await noSidewaysScroll(page, name);
  await shot(page, `${name}-phone`);
  if (process.env.SCREENSHOTS) {
    await page.emulateMedia({ colorScheme: 'dark' });
    await shot(page, `${name}-phone-dark`);
    await page.emulateMedia({ colorScheme: 'light' });
  }
  await page.setViewportSize(size);
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];

/** No violation of WCAG 2.1 A or AA that axe finds. What moves is let come to rest before. */
async function isAccessible(page, name) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(readFileSync(AXE, 'utf8'));
  const found = await page.evaluate(async (tags) => {
    await Promise.allSettled(
      document
        .getAnimations()
        .filter(({ effect }) => effect?.getTiming().iterations !== Infinity)
        .map(({ finished }) => finished),
    );
    const { violations } = await window.axe.run({ runOnly: tags });
    return violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .map(({ target, failureSummary }) => `${target.join(' ')} ${failureSummary}`)
          .slice(0, 3)
          .join('; ')}`,
    );
  }, WCAG);
  if (found.length > 0) throw new Error(`expected '${name}' without violations of WCAG, but it has:\n${found.join('\n')}`);
}

/** On a phone nothing may reach beyond the window. */
async function noSidewaysScroll(page, name) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) throw new Error(`expected '${name}' to fit into ${PHONE.width} px, but it is ${wide} px wider`);
}

/** The base address of the server under test, without a slash at its end. */
export function baseUrl() {
  const url = process.env.STEPWIRE_URL;
  if (!url) throw new Error("expected the server's address in STEPWIRE_URL, but it is not set");
  return url.replace(/\/$/, '');
}

/** Prints a line and waits for one on standard input: there the caller does what a browser cannot. */
export async function checkpoint(name) {
  console.log(`CHECKPOINT ${name}`);
  await new Promise((resolve) => process.stdin.once('data', resolve));
  process.stdin.pause();
}
