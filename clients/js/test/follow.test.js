/** What attempts say: live, whole, and the files that they leave. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Refused, Worker, connect, uuid7 } from "../src/index.js";
import { deferred } from "../src/asked.js";
import { startServer } from "./server.js";
import "./websocket.js";

for (const over of ["tcp", "ws"]) {
  test(`what a handler says is followed over ${over}, and its files are kept`, async (t) => {
    const server = await startServer(t);
    const tareas = await connect(server[over]);
    const app = new Worker(server[over], { name: "js" });
    t.after(async () => {
      tareas.close();
      await app.stop();
    });
    const goOn = deferred();
    app.task("js_talk", async (payload, context) => {
      context.log("hello");
      context.output("so ");
      context.progress(50, "half");
      await goOn.promise;
      context.output("far");
      context.attach("a.csv", "a,b\n", "text/csv");
      context.attach("zeros", new Uint8Array(3_000_000));
      return "so far";
    });
    await app.start();
    const task = await tareas.submit("js_talk", 1);
    const said = [];
    for await (const { event, text, message, status } of task.follow()) {
      said.push([event, text ?? message ?? status]);
      if (["log", "output", "progress"].every((name) => said.some(([event]) => event === name))) {
        goOn.resolve();
      }
    }
    assert.deepEqual(said.at(-1), ["end", "succeeded"]);
    const texts = (name) => said.filter(([event]) => event === name).map(([, text]) => text);
    assert.equal(texts("output").join(""), "so far");
    assert.deepEqual([texts("log"), texts("progress")], [["hello"], ["half"]]);
    assert.deepEqual((await tareas.logs(task.id))[0].lines, ["hello"]);
    const { artifacts } = await tareas.fetchJson(`/v1/tasks/${task.id}/artifacts`);
    const found = artifacts.map(({ name, type, bytes }) => [name, type, bytes]);
    assert.deepEqual(found, [["a.csv", "text/csv", 4], ["zeros", "application/octet-stream", 3_000_000]]);
    await assert.rejects(tareas.follow(uuid7()).next(), (error) => error instanceof Refused && error.code === "TAR-1207");
  });
}

test("following goes on across a restart", async (t) => {
  const server = await startServer(t);
  const tareas = await connect(server.tcp, { reconnectFor: 30_000 });
  t.after(() => tareas.close());
  const task = await tareas.submit("sleep", { ms: 1_500 });
  const events = task.follow();
  const first = events.next();
  await server.kill();
  await server.start();
  let last = await first;
  for (let next = last; !next.done; next = await events.next()) last = next;
  assert.deepEqual([last.value.event, last.value.status], ["end", "succeeded"]);
});
