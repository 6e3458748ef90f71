/**
 * The client: one connection, for any number of tasks at once.
 *
 * Every task has its id before it is sent. When the connection is lost the client makes another
 * one and says again what was not answered, so a lost connection makes no second task.
 */

import { ConnectionLost, Refused } from "./errors.js";
import { parseAddress } from "./address.js";
import { Asked } from "./asked.js";
import { dumps, eachObject } from "./json.js";
import { Followed } from "./followed.js";
import { ask, openLink, pauseMs, sleep } from "./link.js";
import { batches, parts, submission } from "./submission.js";
import { outcome, Task } from "./task.js";

/** Lines that may wait for their last answer. The server's own limit is 16,384. */
const OPEN_MAX = 12_000;
/** The longest wait that one line can ask for. */
const WAIT_MS_MAX = 3_600_000;
const PAUSE_MS_MAX = 2_000;
/** How often a task is sent that the server refuses for now: full, overloaded, a backend away. */
const SUBMIT_TRIES = 5;
/** Lines that follow each other at once leave together. */
const soon = globalThis.setImmediate ?? queueMicrotask;

/**
 * Connects to a server.
 *
 * @param {string} [server] `tcp://HOST:PORT` in Node; `ws://` or `http://` in a browser
 * @param {object} [options] see `index.d.ts`
 * @returns {Promise<Client>}
 */
export async function connect(server = defaultServer(), options = {}) {
  const client = new Client(server, options);
  try {
    await client.hello();
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

function defaultServer() {
  return globalThis.location?.origin ?? "tcp://127.0.0.1:5000";
}

/** A connection to a server; made by {@link connect}. */
export class Client {
  #address;
  #options;
  #link;
  #connecting;
  #asked = new Map();
  #next = 1;
  #hasAnswered = false;
  #isClosed = false;
  #closing = new AbortController();
  #waitingForRoom = [];
  #outgoing = [];

  constructor(server, { connectTimeout = 5_000, answerTimeout = 30_000, reconnectFor = 60_000, token, ca, lang } = {}) {
    this.#address = parseAddress(server);
    this.#options = { connectTimeout, answerTimeout, reconnectFor, token, ca, lang };
  }

  /** Submits a task; resolves once it is accepted, which means that it is on disk. */
  async submit(kind, payload, options = {}) {
    const request = submission(kind, payload, options);
    const asked = await this.#insist(request);
    return new Task(this, request.task_id, asked.end);
  }

  /** Submits many tasks, in batches; resolves once all are on disk, throws the first refusal. */
  async submitMany(tasks) {
    const requests = Array.from(tasks, (one) => {
      const [kind, payload, options] = Array.isArray(one) ? one : parts(one);
      return submission(kind, payload, { ...options, wait: undefined });
    });
    const answers = [];
    for (const batch of batches(requests)) {
      const asked = await this.#askRaw((ref) => `{"cmd":"batch","ref":${ref},"wait":false,"tasks":[${batch.join(",")}]}\n`, false);
      answers.push(asked.first);
    }
    const told = (await Promise.all(answers)).flatMap((answer) => answer.tasks);
    const refused = told.map(({ error }, index) => ({ error, request: requests[index] })).filter(({ error }) => error);
    for (const { error, request } of refused) {
      if (!error.retryable) {
        throw new Refused(error, request.task_id);
      }
    }
    await Promise.all(refused.map(({ request }) => this.#insist({ ...request, wait: false })));
    return requests.map((request) => new Task(this, request.task_id, undefined));
  }

  /** The results of one task for each payload, in order. */
  async map(kind, payloads, options = {}) {
    const { timeout, ...rest } = options;
    const until = timeout === undefined ? undefined : Date.now() + timeout;
    const tasks = await Promise.all(Array.from(payloads, (payload) => this.submit(kind, payload, rest)));
    const left = () => ({ timeout: until === undefined ? undefined : Math.max(0, until - Date.now()) });
    return Promise.all(tasks.map((task) => task.result(left())));
  }

  /** A task that was submitted before, perhaps by another program. */
  task(id) {
    return new Task(this, id, undefined);
  }

  /** Waits for the result of a task that was submitted before. */
  async wait(id, { timeout } = {}) {
    const until = timeout === undefined ? Infinity : Date.now() + timeout;
    for (;;) {
      const left = Math.max(0, until - Date.now());
      const wait = { cmd: "wait", task_id: id, timeout_ms: Math.ceil(Math.min(left, WAIT_MS_MAX)) };
      const asked = await this.#ask(wait, false, wait.timeout_ms);
      const end = await asked.first;
      if (!end.timed_out || Date.now() >= until) {
        return outcome(this, id, end);
      }
    }
  }

  /** The whole task object. */
  status(id) {
    return this.#command({ cmd: "status", task_id: id });
  }

  /** What the attempts of a task have said so far. */
  async logs(id) {
    return (await this.#command({ cmd: "logs", task_id: id })).attempts;
  }

  /**
   * What the attempts of a task have said and say from now on, until it has ended. Nothing is told
   * twice, also across a lost connection.
   */
  async *follow(id) {
    if (this.#isClosed) {
      throw new ConnectionLost("the client is closed");
    }
    const ref = this.#next++;
    const followed = new Followed((after) => `${dumps({ cmd: "logs", task_id: id, follow: true, after, ref })}\n`);
    this.#asked.set(ref, followed);
    this.#send(followed.line);
    try {
      yield* followed.events();
    } finally {
      this.#forget(ref);
    }
  }

  /** Gives a task up: `cancelled`, or `running` when it was asked to stop. */
  async cancel(id) {
    return (await this.#command({ cmd: "cancel", task_id: id })).status;
  }

  /** Puts a failed or cancelled task back in line. */
  async requeue(id) {
    return (await this.#command({ cmd: "requeue", task_id: id })).status;
  }

  /** One page of tasks, newest first: `{ tasks, next_cursor }`. */
  list(query = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    return this.fetchJson(`/v1/tasks?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`);
  }

  /** Who the server is. */
  hello() {
    const { lang } = this.#options;
    return this.#command(lang === undefined ? { cmd: "hello" } : { cmd: "hello", lang });
  }

  /** Asks over HTTP for something that no line carries. */
  async fetchJson(path) {
    const { token, ca, answerTimeout } = this.#options;
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    let response;
    try {
      response = await ask(this.#address, path, { headers, timeout: answerTimeout, ca });
    } catch (cause) {
      throw new ConnectionLost(`no answer from ${this.#address.base}`, { cause });
    }
    const body = await response.json();
    if (!response.ok) {
      throw new Refused(body, body.task_id);
    }
    return body;
  }

  /** Ends the connection. Accepted tasks go on. */
  close() {
    this.#isClosed = true;
    this.#closing.abort();
    this.#link?.close();
    this.#fail(new ConnectionLost("the client is closed"));
  }

  // Asking.

  /** Submits one task; a refusal that may pass is met with another try under the same id. */
  async #insist(request) {
    for (let attempt = 1; ; attempt += 1) {
      const asked = await this.#ask({ cmd: "submit", ...request }, request.wait !== false);
      try {
        await asked.first;
        return asked;
      } catch (error) {
        if (!(error instanceof Refused) || !error.retryable || attempt === SUBMIT_TRIES) {
          throw error;
        }
        await sleep((error.retryAfterMs ?? 0) + pauseMs(attempt, PAUSE_MS_MAX), this.#closing.signal);
      }
    }
  }

  async #command(request) {
    return (await this.#ask(request, false)).first;
  }

  #ask(request, wantsEnd, waitMs = 0) {
    return this.#askRaw((ref) => `${dumps({ ...request, ref })}\n`, wantsEnd, waitMs);
  }

  /** Says one line; what is said about it comes in the promises. */
  async #askRaw(lineOf, wantsEnd, waitMs = 0) {
    while (wantsEnd && this.#asked.size >= OPEN_MAX && !this.#isClosed) {
      await new Promise((resolve) => this.#waitingForRoom.push(resolve));
    }
    if (this.#isClosed) {
      throw new ConnectionLost("the client is closed");
    }
    const ref = this.#next++;
    const asked = new Asked(lineOf(ref), wantsEnd);
    this.#asked.set(ref, asked);
    asked.limit(this.#options.answerTimeout + waitMs + this.#options.reconnectFor, () => this.#forget(ref));
    this.#send(asked.line);
    return asked;
  }

  /** Says a line that is among what is asked; without a connection whoever connects says it. */
  #send(line) {
    if (this.#link === undefined) {
      this.#connecting ??= this.#connect();
    } else {
      this.#say(line);
    }
  }

  /** Sends a line together with those that follow it at once. */
  #say(line) {
    this.#outgoing.push(line);
    if (this.#outgoing.length === 1) {
      soon(() => {
        const lines = this.#outgoing.splice(0).join("");
        if (lines !== "") {
          this.#link?.send(lines);
        }
      });
    }
  }

  #forget(ref) {
    this.#asked.delete(ref);
    if (this.#asked.size < OPEN_MAX) {
      this.#waitingForRoom.shift()?.();
    }
  }

  #fail(error) {
    for (const asked of this.#asked.values()) {
      asked.fail(error);
    }
    this.#asked.clear();
    this.#waitingForRoom.splice(0).forEach((resolve) => resolve());
  }

  // The connection.

  /** Connects, and says what is not answered; gives up what waits when that takes too long. */
  async #connect() {
    const giveUp = Date.now() + (this.#hasAnswered ? this.#options.reconnectFor : 0);
    for (let attempt = 0; !this.#isClosed; attempt += 1) {
      try {
        await this.#open();
        break;
      } catch (error) {
        if (Date.now() >= giveUp) {
          this.#fail(error);
          break;
        }
        await sleep(pauseMs(attempt, PAUSE_MS_MAX), this.#closing.signal);
      }
    }
    this.#connecting = undefined;
    // What was asked between the giving up and now has nobody else to connect for it.
    if (this.#link === undefined && this.#asked.size > 0 && !this.#isClosed) {
      this.#connecting = this.#connect();
    }
  }

  async #open() {
    let link;
    link = await openLink(this.#address, {
      timeout: this.#options.connectTimeout,
      ca: this.#options.ca,
      onLines: (lines) => eachObject(lines, (said) => this.#take(said)),
      onClose: () => this.#lost(link),
    });
    if (this.#isClosed) {
      link.close();
      return;
    }
    this.#link = link;
    // What was to be sent over another link is among what is not answered.
    this.#outgoing = [];
    const { token, lang } = this.#options;
    const greeting = [];
    if (token !== undefined) {
      greeting.push(`${dumps({ cmd: "auth", token })}\n`);
    }
    if (lang !== undefined && this.#hasAnswered) {
      greeting.push(`${dumps({ cmd: "hello", lang })}\n`);
    }
    const lines = [...greeting, ...Array.from(this.#asked.values(), (asked) => asked.line)].join("");
    if (lines !== "") {
      link.send(lines);
    }
  }

  #lost(link) {
    if (this.#link !== link) {
      return;
    }
    this.#link = undefined;
    // Nobody waits for anything: the next line connects.
    if (!this.#isClosed && this.#asked.size > 0) {
      this.#connecting ??= this.#connect();
    }
  }

  #take(said) {
    this.#hasAnswered = true;
    const asked = this.#asked.get(said.ref);
    if (asked?.take(said)) {
      this.#forget(said.ref);
    }
  }
}
