/** A server of its own for each test: TAREAS_BIN names the program. */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_MS = 30_000;

/** Starts a server; it is stopped when the test ends. */
export async function startServer(test, { threads = 1, flags = [] } = {}) {
  const server = new Server(await freePort(), threads, flags);
  test.after(() => server.close());
  await server.start();
  return server;
}

class Server {
  constructor(port, threads, flags) {
    this.port = port;
    this.flags = ["--threads", String(threads), ...flags];
    this.folder = mkdtempSync(join(tmpdir(), "tareas-js-"));
    this.tcp = `tcp://127.0.0.1:${port}`;
    this.ws = `ws://127.0.0.1:${port}`;
  }

  async start() {
    const bin = process.env.TAREAS_BIN ?? "tareas";
    const where = ["--bind", `127.0.0.1:${this.port}`, "--data", join(this.folder, "data")];
    this.process = spawn(bin, ["serve", ...where, ...this.flags], { stdio: "ignore" });
    const until = Date.now() + START_MS;
    while (!(await answers(this.port))) {
      if (Date.now() > until || this.process.exitCode !== null) {
        throw new Error("the server did not start");
      }
      await pause(20);
    }
  }

  /** The token of an administrator, where there is access control. */
  get token() {
    return readFileSync(join(this.folder, "data", "admin-token"), "utf8").trim();
  }

  async kill() {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await ended;
  }

  async close() {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
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

function answers(port) {
  return new Promise((resolve) => {
    const stream = net.connect(port, "127.0.0.1");
    stream.once("connect", () => resolve(true)).once("error", () => resolve(false));
    stream.once("connect", () => stream.destroy());
  });
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until something is so. */
export async function until(isSo, ms = 20_000) {
  const end = Date.now() + ms;
  while (!(await isSo())) {
    if (Date.now() > end) {
      throw new Error("it did not come to be so");
    }
    await pause(10);
  }
}
