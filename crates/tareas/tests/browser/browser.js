/** Chromium, and pages that remember whatever was not right with them. */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.TAREAS_MODULES, "modules.js"));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** What a step may take on a slow machine before it counts as never. */
export const STEP_MS = 45_000;
/** What a suite may take before it counts as stuck: a page that has crashed answers nothing any more. */
export const SUITE = { timeout: 240_000 };
/** What is drawn a hundred times alike: the operations and forms of the API, the codes. */
const LIKE_THOSE_BEFORE = [".api section:nth-of-type(n+4)", ".prose > table tr:nth-child(n+4)"];
/** Rules whose outcome depends on the colours. */
const OF_COLOURS = ["color-contrast", "link-in-text-block"];
/** Findings of axe that are not accepted. */
const GRAVE = ["serious", "critical"];

/** Of pages that are taller than this (px), pictures show the beginning. */
const TALL = 8_000;

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** Starts Chromium; it ends with the test. */
export async function launch(test) {
  const browser = await chromium.launch({
    executablePath: executable(process.env.TAREAS_CHROMIUM),
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  test.after(() => browser.close());
  return browser;
}

/** A page of its own profile. `trouble` collects errors of the console, dialogs and violations of the policy. */
export async function open(browser, server, { phone = false, lang = "en", theme, ...options } = {}) {
  const context = await browser.newContext({
    baseURL: server.http,
    locale: lang,
    viewport: phone ? PHONE : DESKTOP,
    hasTouch: phone,
    isMobile: phone,
    serviceWorkers: "block",
    ...options,
  });
  context.setDefaultTimeout(STEP_MS);
  if (theme) await context.addCookies([{ name: "tareas_theme", value: theme, url: server.http }]);
  const page = await context.newPage();
  page.trouble = [];
  page.on("console", (said) => {
    if (said.type() === "error") page.trouble.push(`${said.text()} (${said.location().url})`);
  });
  page.on("pageerror", (error) => page.trouble.push(String(error)));
  page.on("dialog", (dialog) => {
    page.trouble.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  return page;
}

/** Runs each journey in a page of its own, against one server; nothing may go wrong on the way. */
export async function travelAll(test, server, journeys) {
  const browser = await launch(test);
  for (const [name, options, journey] of journeys) {
    await test.test(name, async () => {
      const page = await open(browser, server, options);
      await journey(page, server);
      assertCalm(page);
      await page.context().close();
    });
  }
}

/** Forgets what the browser said while the server was away on purpose. */
export function forgetAbsence(page) {
  const isOfAbsence = (what) => /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INCOMPLETE|ERR_EMPTY_RESPONSE/.test(what);
  page.trouble = page.trouble.filter((what) => !isOfAbsence(what));
}

/**
 * What axe finds that keeps people out, as one line each. With `whole`, of long lists, too; with
 * `colours`, only what depends on them.
 */
export async function barriers(page, { whole = false, colours = false } = {}) {
  await page.evaluate(AXE);
  const found = await page.evaluate(({ exclude, runOnly }) => {
    const options = { resultTypes: ["violations"], preload: false, elementRef: false };
    return axe.run({ exclude }, runOnly ? { ...options, runOnly } : options);
  }, { exclude: whole ? [] : LIKE_THOSE_BEFORE, runOnly: colours ? OF_COLOURS : null });
  const grave = found.violations.filter(({ impact }) => GRAVE.includes(impact));
  return grave.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(({ html }) => html).join(" ")}`);
}

/** Whether a page is wider than the window. */
export async function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Keeps a picture when somebody wants to see them: TAREAS_SCREENSHOTS names the folder. */
export async function picture(page, name) {
  const folder = process.env.TAREAS_SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: (await height(page)) < TALL });
}

function height(page) {
  return page.evaluate(() => document.documentElement.scrollHeight);
}

/** Fails with everything that was not right. */
export function assertCalm(page) {
  assert.deepEqual(page.trouble, []);
}

function executable(name) {
  const places = process.env.PATH.split(":").map((folder) => join(folder, name));
  return places.find((place) => existsSync(place));
}
