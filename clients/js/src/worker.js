/**
 * The worker: async handlers that run the tasks of a server, many at once on one event loop.
 *
 * A result is kept until the server says that it is recorded; when the connection is lost the
 * worker comes back and goes on with what it holds.
 */

import { parseAddress } from "./address.js";
import { deferred } from "./asked.js";
import { Attempts } from "./attempts.js";
import { ConnectionLost } from "./errors.js";
import { dumps, eachObject } from "./json.js";
import { openLink, pauseMs, sleep } from "./link.js";

const CONNECT_MS = 5_000;
const PAUSE_MS_MAX = 5_000;
/** Beats without a word from the server after which it counts as lost. */
const SILENT_BEATS = 3;
/** How long the last results may take to be recorded. */
const LEAVE_MS = 5_000;
const TICK_MS = 100;
/** Reports that follow each other at once leave together. */
const soon = globalThis.setImmediate ?? ((call) => setTimeout(call, 0));

/** Runs the tasks of a server. */
export class Worker {
  #address;
  #options;
  #handlers = new Map();
  #attempts;
  #link;
  #loop;
  #ticking;
  #isFlushing = false;
  #hasSession = false;
  #greeted = deferred();
  #resume;
  #beatMs = 5_000;
  #spokeAt = 0;
  #heardAt = 0;
  #isDraining = false;
  #leaving = new AbortController();

  constructor(server = "tcp://127.0.0.1:5000", options = {}) {
    const { name = defaultName(), queues = [], labels = [], concurrency = 10, prefetch = 256, drainGrace = 30_000, token, ca } = options;
    this.#address = parseAddress(server);
    this.#options = { name, queues, labels, concurrency, prefetch, drainGrace, token, ca };
    this.#attempts = new Attempts(this.#handlers, concurrency, () => this.#flush());
  }

  /** Registers a handler: called with the payload and a {@link Context}. */
  task(kind, handler) {
    if (typeof handler !== "function") {
      throw new TypeError("a handler is a function of payload and context");
    }
    this.#handlers.set(kind, handler);
    return handler;
  }

  /** Starts to work; resolves when the server knows this worker. */
  async start() {
    if (this.#handlers.size === 0) {
      throw new TypeError("a worker needs a handler at least");
    }
    this.#ticking ??= setInterval(() => this.#tick(), TICK_MS);
    this.#loop ??= this.#stayConnected();
    await this.#greeted.promise;
  }

  /** In Node: works until SIGTERM or SIGINT, then drains; a second signal gives back what runs. */
  async run() {
    const hurry = new AbortController();
    const stopped = new Promise((resolve) => {
      const told = () => (this.#isDraining ? hurry.abort() : resolve(undefined));
      process.on("SIGTERM", told).on("SIGINT", told);
    });
    const started = this.start();
    await Promise.race([stopped, started.then(() => stopped)]);
    await this.stop({ signal: hurry.signal });
  }

  /** Takes nothing more, lets what runs end within the grace, gives back the rest, and leaves. */
  async stop({ signal } = {}) {
    this.#isDraining = true;
    this.#attempts.drain();
    this.#say('{"cmd":"beat","slots":0}\n');
    await until(() => this.#attempts.running === 0, this.#options.drainGrace, signal);
    this.#attempts.release();
    await until(() => this.#attempts.holding.length === 0 || !this.#hasSession, LEAVE_MS);
    this.#say("exit\n");
    this.#leaving.abort();
    clearInterval(this.#ticking);
    this.#greeted.reject(new ConnectionLost("the worker has left"));
    this.#link?.close();
    await this.#loop;
  }

  // Saying.

  /** Sends what there is to report once the code that is running has ended. */
  #flush() {
    if (!this.#isFlushing) {
      this.#isFlushing = true;
      soon(() => {
        this.#isFlushing = false;
        if (this.#hasSession && this.#attempts.reports.isWaiting) {
          this.#say(this.#attempts.reports.takeLines().join(""));
        }
      });
    }
  }

  #say(lines) {
    if (this.#hasSession) {
      this.#spokeAt = Date.now();
      this.#link?.send(lines);
    }
  }

  #tick() {
    const now = Date.now();
    this.#attempts.stopHoarding();
    this.#flush();
    if (this.#hasSession && now - this.#spokeAt > this.#beatMs / 2) {
      this.#say('{"cmd":"beat"}\n');
    }
    if (this.#hasSession && now - this.#heardAt > this.#beatMs * SILENT_BEATS) {
      this.#link?.close();
    }
  }

  // Listening.

  async #stayConnected() {
    let lostAt = Date.now();
    for (let attempt = 0; !this.#leaving.signal.aborted; attempt += 1) {
      try {
        if (await this.#converse()) {
          attempt = 0;
          lostAt = Date.now();
        }
      } catch (error) {
        if (!(error instanceof ConnectionLost)) {
          throw error;
        }
      }
      this.#hasSession = false;
      this.#link = undefined;
      if (Date.now() - lostAt > this.#beatMs * SILENT_BEATS) {
        this.#attempts.giveUpAll();
      }
      await sleep(pauseMs(attempt, PAUSE_MS_MAX), this.#leaving.signal);
    }
  }

  /** Speaks over one connection until it ends; whether there was a session on it. */
  async #converse() {
    const closed = deferred();
    const link = await openLink(this.#address, {
      timeout: CONNECT_MS,
      ca: this.#options.ca,
      onLines: (lines) => {
        this.#heardAt = Date.now();
        eachObject(lines, (told) => this.#take(told));
        this.#attempts.begin();
      },
      onClose: () => closed.resolve(undefined),
    });
    this.#link = link;
    this.#heardAt = Date.now();
    link.send(this.#hello());
    await closed.promise;
    return this.#hasSession;
  }

  #hello() {
    const { token, name, queues, labels, concurrency, prefetch } = this.#options;
    const work = {
      cmd: "work",
      name,
      queues,
      kinds: [...this.#handlers.keys()],
      labels,
      slots: this.#isDraining ? 0 : concurrency,
      prefetch,
      holding: this.#attempts.holding,
    };
    if (this.#resume !== undefined) {
      work.resume = this.#resume;
    }
    const auth = token === undefined ? "" : `${dumps({ cmd: "auth", token })}\n`;
    return `${auth}${dumps(work)}\n`;
  }

  #take(told) {
    if (told.event === "assign") {
      this.#attempts.take(told);
    } else if (told.event === "cancel") {
      this.#attempts.cancel(told);
    } else if (told.event === "session") {
      this.#welcome(told);
    } else if (told.recorded !== undefined) {
      this.#attempts.recorded(told.ref);
    } else if (told.error !== undefined) {
      this.#refused(told);
    }
  }

  #welcome({ resume, beat_ms, drop }) {
    for (const [task_id, attempt] of drop ?? []) {
      this.#attempts.drop({ task_id, attempt });
    }
    this.#resume = resume;
    this.#beatMs = Math.max(100, beat_ms);
    this.#hasSession = true;
    const again = this.#attempts.reports.unanswered().join("");
    if (again !== "") {
      this.#say(again);
    }
    this.#greeted.resolve(undefined);
    this.#flush();
  }

  #refused({ error, ref }) {
    if (!this.#hasSession || error.name === "session_lost") {
      if (error.name === "unauthenticated" || error.name === "forbidden") {
        this.#greeted.reject(new ConnectionLost(`${error.message} [${error.code}]`));
      }
      this.#link?.close();
    } else if (ref !== undefined) {
      this.#attempts.unrecorded(ref, error);
    }
  }
}

function defaultName() {
  return globalThis.process?.pid === undefined ? "javascript" : `javascript-${globalThis.process.pid}`;
}

/** Waits until something is so, at most so long. */
async function until(isSo, ms, signal) {
  const end = Date.now() + ms;
  while (!isSo() && Date.now() < end && !signal?.aborted) {
    await sleep(10, signal);
  }
}
