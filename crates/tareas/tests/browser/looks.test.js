/** Every page in both languages, both colours and two sizes: nothing to complain about. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCalm, barriers, DESKTOP, launch, open, overflow, PHONE, picture, SUITE } from "./browser.js";
import { pause, startServer } from "./server.js";

const SIZES = { desktop: DESKTOP, phone: PHONE };
const HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>";

test("every page is sound in every look", SUITE, async (t) => {
  const server = await startServer(t);
  const browser = await launch(t);
  const pages = await furnish(server);
  const looks = ["en", "es"].flatMap((lang) => ["light", "dark"].map((theme) => ({ lang, theme })));
  const found = await Promise.all(looks.map((look) => visitAll(browser, server, pages, look)));
  assert.deepEqual(found.flat(), []);
});

/** Tasks in every state, some with names and payloads that want to be markup; the pages to see. */
async function furnish(server) {
  await server.ask("/v1/queues/mail/pause", { method: "POST" });
  const [done, failed, odd] = await Promise.all([
    server.submit({ kind: "sumar", payload: "2 + 2" }),
    server.submit({ kind: "fail", payload: { message: HOSTILE }, max_attempts: 1 }),
    server.submit({ kind: "echo", payload: { text: HOSTILE }, metadata: { note: HOSTILE } }),
    server.submit({ kind: "dividir", payload: "1 0", max_attempts: 1 }),
    server.begin({ kind: "wordcount", payload: "one two three", queue: "mail" }),
    server.begin({ kind: "sumar", payload: "1 + 1", delay_ms: 600_000 }),
  ]);
  const running = await server.begin({ kind: "sleep", payload: 600_000 });
  const count = { action: "requeue", filter: "state:failed", dry_run: true };
  const bulk = await server.ask("/v1/bulk", { method: "POST", body: count });
  const webhook = await failingWebhook(server);
  const id = (task) => `/tasks/${task.task_id}`;
  return {
    map: `/?sent=${done.task_id}`, tasks: "/tasks", filtered: "/tasks?filter=state%3Afailed+since%3A1h",
    new: "/tasks/new?kind=sumar", done: id(done), failed: id(failed), odd: id(odd), running: id(running),
    queues: "/queues", workers: "/workers", failures: "/failures", system: "/system", history: "/history?span=5m", bulk: "/bulk",
    webhooks: "/webhooks", webhook: `/webhooks/${webhook.id}`, count: `/bulk/${bulk.id}`, api: "/docs", errors: "/errors", nowhere: "/nowhere",
  };
}

/** A webhook that leads nowhere, once it has tried. */
async function failingWebhook(server) {
  const everything = { queues: ["*"], kinds: [], ends: ["succeeded", "failed", "cancelled"] };
  const wish = { name: "shop", url: "http://127.0.0.1:1/hooks", ...everything };
  const webhook = await server.ask("/v1/webhooks", { method: "POST", body: wish });
  await server.submit({ kind: "sumar", payload: "3 + 3" });
  const tried = async () => (await server.ask(`/v1/webhooks/${webhook.id}/deliveries`)).deliveries.some(({ tries }) => tries > 0);
  while (!(await tried())) await pause(50);
  return webhook;
}

async function visitAll(browser, server, pages, look) {
  // Light and dark pages differ in nothing but colours.
  const wanted = {
    isFirst: look.lang === "en" && look.theme === "light",
    colours: look.theme === "dark",
  };
  const page = await open(browser, server, look);
  const found = [];
  for (const [name, path] of Object.entries(pages)) {
    const wrong = await visit(page, path, `${name}-${look.lang}-${look.theme}`, wanted);
    found.push(...wrong.map((what) => `${name} ${look.lang} ${look.theme}: ${what}`));
  }
  await page.context().close();
  return found;
}

async function visit(page, path, name, { isFirst, colours }) {
  page.trouble.length = 0;
  await page.goto(path);
  const found = [];
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    await picture(page, `${name}-${size}`);
    const wider = await overflow(page);
    if (wider > 0) found.push(`${size}: ${wider} px wider than the window`);
    const whole = isFirst && size === "desktop";
    found.push(...(await barriers(page, { whole, colours })).map((barrier) => `${size}: ${barrier}`));
  }
  // The browser itself complains about the answer 404 of the page that is not there.
  const said = page.trouble.filter((what) => !what.endsWith("/nowhere)"));
  return [...found, ...said];
}

test("dark follows the system until somebody chooses", SUITE, async (t) => {
  const server = await startServer(t);
  const page = await open(await launch(t), server, { colorScheme: "dark" });
  await page.goto("/");
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await page.click("form.theme button");
  await page.waitForSelector("html.dark");
  assert.equal(await background(), dark);
  await page.click("form.theme button");
  await page.waitForSelector("html.light");
  assert.notEqual(await background(), dark);
  assertCalm(page);
});
