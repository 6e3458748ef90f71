/** What people do with the dashboard, from their first click to its end. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { forgetAbsence, picture, SUITE, travelAll } from "./browser.js";
import { startServer } from "./server.js";

test("the dashboard", SUITE, async (t) => {
  const server = await startServer(t);
  await travelAll(t, server, [
    ["a task travels the map and ends", {}, travel],
    ["a running task is cancelled on a phone", { phone: true }, cancelOnPhone],
    ["a filter is put back in line", { lang: "es" }, requeueFilter],
    ["everything works without a script", { javaScriptEnabled: false }, withoutScript],
    ["live numbers go on after a restart", {}, restart],
  ]);
});

async function travel(page) {
  await page.goto("/");
  await page.fill("#task", "procesar datos");
  await page.click("#send button.primary");
  await page.waitForSelector("#sent[data-at=succeeded]");
  assert.match(await page.textContent("#sent"), /procesado correctamente/);
  assert.match(page.url(), /[?&]sent=/);
  await page.waitForFunction(() => document.querySelector("#latest")?.textContent.includes("procesar"));
  await picture(page, "journey-travel");
}

async function cancelOnPhone(page, server) {
  const { task_id } = await server.begin({ kind: "sleep", payload: 600_000 });
  await page.goto("/");
  await page.tap("nav.phone a[href='/tasks']");
  await page.tap(`a[href='/tasks/${task_id}']`);
  await page.waitForSelector("#task-view .state.running, #task-view .running");
  await page.tap("form.act button[value=cancel]");
  await page.waitForURL("**/tasks/*?said=stopping");
  await page.waitForSelector("#task-view:not([data-poll])");
  const task = await server.ask(`/v1/tasks/${task_id}`);
  assert.equal(task.status, "cancelled");
  await picture(page, "journey-cancelled");
}

async function requeueFilter(page, server) {
  const fails = () => server.submit({ kind: "dividir", payload: "1 0", max_attempts: 1, queue: "rojo" });
  const failed = await Promise.all([fails(), fails(), fails()]);
  await page.goto("/tasks?filter=queue%3Arojo+state%3Afailed");
  await page.click("form button[name=action][value=requeue]");
  await page.waitForSelector("form.buttons button.danger");
  assert.match(await page.textContent("form.buttons button.danger"), /3$/);
  await picture(page, "journey-counted");
  await page.click("form.buttons button.danger");
  await page.waitForSelector("#bulk:not([data-poll])");
  for (const { task_id } of failed) {
    const { attempt } = await server.ask(`/v1/tasks/${task_id}/wait`);
    assert.ok(attempt > 1, "it ran once more");
  }
}

async function withoutScript(page, server) {
  await page.goto("/");
  await page.fill("#task", "square 12");
  await page.click("#send button.primary");
  await page.waitForSelector("#sent:not([hidden])");
  while (!(await page.$("#sent[data-at=succeeded]"))) await page.reload();
  await page.click("#sent a[href^='/tasks/']");
  assert.match(await page.textContent("#task-view"), /144/);
  await page.click("form.act button[value=again]");
  assert.match(await page.textContent("main [role=status]"), /new task/);
  await page.click("nav.tabs a[href='/queues']");
  await page.click("form[action='/queues/default'] button");
  assert.equal((await server.ask("/v1/queues/default")).paused, true);
  await page.click("form[action='/queues/default'] button");
  assert.equal((await server.ask("/v1/queues/default")).paused, false);
  await picture(page, "journey-without-script");
}

async function restart(page, server) {
  await page.goto("/");
  await page.waitForSelector("#live[data-state=live]");
  await server.kill();
  await page.waitForSelector("#live[data-state=lost]");
  await picture(page, "journey-lost");
  await server.start();
  await page.waitForSelector("#live[data-state=live]");
  await server.submit({ kind: "procesar", payload: "otra vez" });
  await page.waitForFunction(() => document.querySelector("#latest")?.textContent.includes("procesar"));
  forgetAbsence(page);
}
