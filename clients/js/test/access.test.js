/** Tokens: what is asked for one is done with it, and not without. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ConnectionLost, Refused, Worker, connect } from "../src/index.js";
import { startServer } from "./server.js";
import "./websocket.js";

const WRONG = `tr_12345678_${"0".repeat(32)}`;

function isUnauthenticated(error) {
  return error instanceof Refused && error.code === "TAR-1101";
}

for (const over of ["tcp", "ws"]) {
  describe(`over ${over}`, () => {
    test("a client shows its token, on lines and over HTTP", async (t) => {
      const server = await startServer(t, { flags: ["--access"] });
      const tareas = await connect(server[over], { token: server.token });
      t.after(() => tareas.close());
      assert.equal(await (await tareas.submit("square", { n: 5 })).result(), 25);
      assert.equal((await tareas.list()).tasks.length, 1);
    });

    test("without a token, or with a wrong one, nothing is done", async (t) => {
      const server = await startServer(t, { flags: ["--access"] });
      for (const token of [undefined, WRONG]) {
        const tareas = await connect(server[over], { token });
        t.after(() => tareas.close());
        await assert.rejects(tareas.submit("square", { n: 5 }), isUnauthenticated);
        await assert.rejects(tareas.list(), isUnauthenticated);
      }
    });

    test("a token is shown again on the next connection", async (t) => {
      const server = await startServer(t, { flags: ["--access"] });
      const tareas = await connect(server[over], { token: server.token, reconnectFor: 30_000 });
      t.after(() => tareas.close());
      const task = await tareas.submit("sleep", { ms: 300 });
      await server.kill();
      await server.start();
      assert.equal(await task.result({ timeout: 60_000 }), 300);
    });

    test("a worker shows its token, and is told when it has none", async (t) => {
      const server = await startServer(t, { threads: 0, flags: ["--access"] });
      const worker = new Worker(server[over], { token: server.token });
      worker.task("greet", ({ name }) => `hello ${name}`);
      await worker.start();
      t.after(() => worker.stop());
      const tareas = await connect(server[over], { token: server.token });
      t.after(() => tareas.close());
      assert.equal(await (await tareas.submit("greet", { name: "ñ" })).result({ timeout: 60_000 }), "hello ñ");
      const stranger = new Worker(server[over], {});
      stranger.task("greet", () => "never");
      const told = (error) => error instanceof ConnectionLost && error.message.includes("TAR-1101");
      await assert.rejects(stranger.start(), told);
      await stranger.stop();
    });
  });
}
