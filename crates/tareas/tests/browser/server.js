/** A server of its own for each suite: TAREAS_BIN names the program. */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_MS = 60_000;

/** Starts a server; it is stopped when the test ends. */
export async function startServer(test, { threads = 2 } = {}) {
  const server = new Server(await freePort(), threads);
  test.after(() => server.close());
  await server.start();
  return server;
}

class Server {
  constructor(port, threads) {
    this.port = port;
    this.threads = threads;
    this.folder = mkdtempSync(join(tmpdir(), "tareas-browser-"));
    this.http = `http://127.0.0.1:${port}`;
  }

  async start() {
    const where = ["--bind", `127.0.0.1:${this.port}`, "--data", join(this.folder, "data")];
    const all = ["serve", ...where, "--threads", String(this.threads)];
    const env = { ...process.env, TAREAS_WEBHOOK_NETWORKS: "loopback" };
    this.process = spawn(process.env.TAREAS_BIN, all, { stdio: "ignore", cwd: this.folder, env });
    const end = Date.now() + START_MS;
    while (!(await this.isReady())) {
      if (Date.now() > end || this.process.exitCode !== null) throw new Error("the server did not start");
      await pause(20);
    }
  }

  async isReady() {
    try {
      return (await fetch(`${this.http}/readyz`)).ok;
    } catch {
      return false;
    }
  }

  async kill() {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await ended;
  }

  async close() {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The answer to a request of the API. */
  async ask(path, { method = "GET", body } = {}) {
    const headers = { "content-type": "application/json", prefer: "wait=30" };
    const answer = await fetch(this.http + path, { method, headers, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** Submits a task and waits until it has ended, or at most half a minute. */
  submit(task) {
    return this.ask("/v1/tasks", { method: "POST", body: task });
  }

  /** Submits a task and does not wait. */
  async begin(task) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${this.http}/v1/tasks`, { method: "POST", headers, body: JSON.stringify(task) });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}

function freePort() {
  return new Promise((resolve) => {
    const listener = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = listener.address();
      listener.close(() => resolve(port));
    });
  });
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
