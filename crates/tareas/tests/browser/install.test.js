/** The dashboard as an application: installable, light, told apart from a server that is away, and driven by keys. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { barriers, forgetAbsence, picture, SUITE, travelAll } from "./browser.js";
import { startServer } from "./server.js";

/** What a first visit may weigh, compressed. */
const FIRST_LOAD_BYTES_MAX = 80_000;

test("the dashboard as an application", SUITE, async (t) => {
  const server = await startServer(t);
  await travelAll(t, server, [
    ["its description and icons are sound", { lang: "es" }, describes],
    ["a first visit is light", {}, weigh],
    ["the palette goes, finds and acts", {}, usePalette],
    ["keys of one letter work and can be switched off", {}, useKeys],
    ["it says that the server is away, and goes on", { serviceWorkers: "allow" }, goAway],
  ]);
});

async function describes(page) {
  await page.goto("/");
  const manifest = await page.evaluate(async () => (await fetch(document.querySelector("link[rel=manifest]").href)).json());
  assert.equal(manifest.lang, "es");
  assert.deepEqual([manifest.display, manifest.start_url], ["standalone", "/"]);
  assert.ok(manifest.icons.some(({ purpose }) => purpose === "maskable"));
  const sizes = await page.evaluate((icons) => Promise.all(icons.map(async ({ src }) => {
    const image = new Image();
    image.src = src;
    await image.decode();
    return `${image.naturalWidth}x${image.naturalHeight}`;
  })), manifest.icons);
  for (const [index, { sizes: said }] of manifest.icons.entries()) {
    if (said !== "any") assert.equal(sizes[index], said);
  }
}

async function weigh(page) {
  const parts = [];
  const weighOne = (answer) => {
    if (!answer.url().includes("/v1/events")) parts.push(answer.body());
  };
  page.on("response", weighOne);
  await page.goto("/");
  page.off("response", weighOne);
  const weights = (await Promise.all(parts)).map((body) => gzipSync(body).length);
  const sum = weights.reduce((one, other) => one + other, 0);
  assert.ok(weights.length >= 4, "page, style and scripts");
  assert.ok(sum <= FIRST_LOAD_BYTES_MAX, `${sum} bytes`);
}

async function usePalette(page, server) {
  const { task_id } = await server.begin({ kind: "sleep", payload: 600_000 });
  await page.goto("/");
  await page.keyboard.press("Control+k");
  await page.waitForSelector("#palette[open]");
  assert.deepEqual(await barriers(page), []);
  await picture(page, "palette");
  await page.keyboard.type("work");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/workers");
  await page.click("#find");
  await page.keyboard.type(task_id);
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/tasks/${task_id}`);
  // What destroys is not pressed at once: the second Enter does it.
  await page.keyboard.press("Control+k");
  await page.keyboard.type("cancel");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.matches("button.danger[value=cancel]"));
  await page.keyboard.press("Enter");
  await page.waitForSelector("#task-view:not([data-poll])");
  assert.equal((await server.ask(`/v1/tasks/${task_id}`)).status, "cancelled");
  await page.keyboard.press("Control+k");
  await page.waitForSelector("#palette-list li");
  await page.keyboard.type("kind:sleep");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/tasks?filter=kind%3Asleep");
}

async function useKeys(page) {
  await page.goto("/");
  await page.keyboard.press("?");
  await page.waitForSelector("#keys[open]");
  assert.deepEqual(await barriers(page), []);
  await picture(page, "keys");
  await page.keyboard.press("Escape");
  await page.waitForSelector("#keys:not([open])", { state: "attached" });
  await page.keyboard.type("gt");
  await page.waitForURL("**/tasks");
  await page.keyboard.press("/");
  await page.keyboard.type("gq?");
  assert.equal(await page.inputValue("main input[type=text][name=filter]"), "gq?");
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("j");
  await page.waitForFunction(() => document.activeElement.matches(".what a"));
  await page.keyboard.press("?");
  await page.uncheck("#keys-on");
  await page.keyboard.press("Escape");
  await page.waitForSelector("#keys:not([open])", { state: "attached" });
  await page.keyboard.press("?");
  await page.keyboard.press("Control+k");
  await page.waitForSelector("#palette[open]");
  assert.equal(await page.$("#keys[open]"), null, "the key did nothing");
}

async function goAway(page, server) {
  await page.goto("/tasks");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await server.kill();
  await page.goto("/queues");
  assert.match(await page.textContent("h1"), /cannot be reached/);
  assert.match(await page.textContent("h2[lang=es]"), /No se puede alcanzar/);
  assert.deepEqual(await barriers(page), []);
  await picture(page, "offline");
  await server.start();
  await page.waitForSelector("#queue-list");
  const kept = await page.evaluate(async () => {
    const names = await caches.keys();
    const all = await Promise.all(names.map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)));
    return all.flat();
  });
  assert.ok(kept.every((path) => path === "/offline" || path.startsWith("/assets/")), String(kept));
  forgetAbsence(page);
}
