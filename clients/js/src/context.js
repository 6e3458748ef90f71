/** One running attempt, as its handler sees it. */

/** Why an attempt was asked to end. */
export class Stopped extends Error {
  /** @param {"cancelled" | "timeout" | "drain" | "lost"} why */
  constructor(why) {
    super(`the attempt is asked to end: ${why}`);
    this.name = "Stopped";
    this.why = why;
  }
}

/** One running attempt, as its handler sees it. */
export class Context {
  #say;
  #stop = new AbortController();

  /**
   * @param {Record<string, any>} given the assignment
   * @param {(command: string, members: object) => void} say
   */
  constructor(given, say) {
    this.#say = say;
    /** What is to be kept with the result, by name; for the worker. */
    this.files = new Map();
    this.taskId = given.task_id;
    this.attempt = given.attempt;
    this.kind = given.kind;
    this.queue = given.queue;
    this.metadata = given.metadata ?? {};
    /** The span of the submission, in a trace across programs. */
    this.traceparent = given.traceparent;
    this.tracestate = given.tracestate;
    /** When the attempt must have ended, as `performance.now()` counts. */
    this.deadline = performance.now() + given.deadline_ms;
  }

  /** Aborted when the attempt is asked to end; for `fetch`, timers and all that takes a signal. */
  get signal() {
    return this.#stop.signal;
  }

  /** Milliseconds left of the time limit. */
  remaining() {
    return Math.max(0, this.deadline - performance.now());
  }

  /** Throws when the attempt is asked to end. */
  check() {
    this.signal.throwIfAborted();
  }

  /** Waits, but not longer than until the attempt is asked to end, and throws then. */
  async sleep(ms) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      const stop = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
      this.signal.addEventListener("abort", stop, { once: true });
    });
    this.check();
  }

  /** Tells how far it is, from 0 to 100. */
  progress(percent, message = "") {
    this.#say("progress", { percent: Math.min(100, Math.max(0, Number(percent))), message: String(message) });
  }

  /** Adds to the task's log. */
  log(text) {
    this.#say("log", { text: String(text) });
  }

  /** Shows a piece of what there is of the result so far to whoever follows the task. */
  output(text) {
    this.#say("output", { text: String(text) });
  }

  /**
   * Keeps a file with the result, if the attempt succeeds: 64 files of 64 MiB together at most; one
   * of the same name takes the place of the one before.
   */
  attach(name, data, type = "application/octet-stream") {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data);
    this.files.set(String(name), { type: String(type), bytes });
  }

  /** Asks the attempt to end; for the worker. */
  stop(why) {
    this.#stop.abort(new Stopped(why));
  }
}
