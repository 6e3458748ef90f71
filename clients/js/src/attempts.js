/** The attempts that a worker holds: which wait, which run, and how each has ended. */

import { Context, Stopped } from "./context.js";
import { Rejected, Retry } from "./errors.js";
import { failure, Reports } from "./reports.js";

/** What waits longer than this to begin is given back: others may be free. */
const HOARD_MS = 300;
/** How long a handler that was asked to end may take to do so. */
const STOP_MS = 5_000;

/** The attempts of one worker. */
export class Attempts {
  #handlers;
  #concurrency;
  #changed;
  /** Those that this worker owns, by `task attempt`. */
  #held = new Map();
  /** Those that have not begun, oldest first. */
  #waiting = [];
  #running = new Map();
  #isDraining = false;
  /** What is to be said about them. */
  reports = new Reports();

  /**
   * @param {Map<string, Function>} handlers by kind
   * @param {number} concurrency how many run at once
   * @param {() => void} changed called when there is something to report
   */
  constructor(handlers, concurrency, changed) {
    this.#handlers = handlers;
    this.#concurrency = concurrency;
    this.#changed = changed;
  }

  get running() {
    return this.#running.size;
  }

  /** What is held, as the server wants to be told of it. */
  get holding() {
    return Array.from(this.#held.values(), (held) => [held.task_id, held.attempt, held.lease]);
  }

  /** An attempt was assigned. */
  take(given) {
    const held = { ...given, since: Date.now(), key: keyOf(given) };
    this.#held.set(held.key, held);
    if (this.#isDraining) {
      this.#giveBack([held]);
    } else {
      this.#waiting.push(held);
    }
  }

  /** Begins what there is room for. */
  begin() {
    while (this.#running.size < this.#concurrency && this.#waiting.length > 0) {
      const held = this.#waiting.shift();
      const one = { held, context: undefined, timer: undefined };
      one.context = new Context(held, (command, members) => this.#note(one, command, members));
      one.timer = setTimeout(() => this.#overTime(one), held.deadline_ms);
      this.#running.set(held.key, one);
      void this.#run(one);
    }
  }

  /** Begins nothing more. */
  drain() {
    this.#isDraining = true;
    this.#giveBack(this.#waiting.splice(0));
  }

  /** Gives back what runs; its handlers are asked to end. */
  release() {
    for (const one of this.#running.values()) {
      one.context.stop("drain");
      this.#settle(one, "release");
    }
  }

  /** Gives back what has waited for too long. They are in the order in which they came. */
  stopHoarding() {
    const late = Date.now() - HOARD_MS;
    const fresh = this.#waiting.findIndex((held) => held.since >= late);
    this.#giveBack(this.#waiting.splice(0, fresh < 0 ? this.#waiting.length : fresh));
  }

  /** The server wants this one to end. */
  cancel(told) {
    const waiting = this.#takeWaiting(keyOf(told));
    if (waiting === undefined) {
      this.#stop(keyOf(told), "cancelled");
    } else {
      this.#giveBack([waiting]);
    }
  }

  /** This one belongs to another worker by now. */
  drop(told) {
    const key = keyOf(told);
    this.#held.delete(key);
    if (this.#takeWaiting(key) === undefined) {
      this.#stop(key, "lost");
    }
  }

  /** The server was away for so long that all of it was given to others. */
  giveUpAll() {
    this.#waiting.splice(0).forEach((held) => this.#held.delete(held.key));
    for (const key of this.#running.keys()) {
      this.#stop(key, "lost");
    }
  }

  /** The server has recorded a line of reports. */
  recorded(ref) {
    this.reports.answered(ref).forEach(({ held }) => this.#forget(held));
  }

  /** The server did not take a line: results in it are lost, and their attempts have failed. */
  unrecorded(ref, error) {
    for (const { held, isDone } of this.reports.answered(ref)) {
      if (isDone && this.#held.has(held.key)) {
        const told = { name: error.name, message: `the result was not taken: ${error.message}` };
        this.reports.add(held, "fail", { error: told, retryable: false }, true);
      } else {
        this.#forget(held);
      }
    }
    this.#changed();
  }

  async #run(one) {
    const began = performance.now();
    const ran = () => Math.round((performance.now() - began) * 1000);
    const { held, context } = one;
    try {
      const result = await this.#handlers.get(held.kind)(held.payload, context);
      this.#settle(one, "done", { run_us: ran(), result: result === undefined ? null : result });
    } catch (error) {
      if (context.signal.aborted || error instanceof Stopped) {
        return this.#settle(one, "release");
      }
      const told = { run_us: ran(), error: failure(error), retryable: !(error instanceof Rejected) };
      if (error instanceof Retry && error.afterMs !== undefined) {
        told.retry_after_ms = Math.max(0, Math.round(error.afterMs));
      }
      this.#settle(one, "fail", told);
    }
  }

  /** Says how an attempt has ended; the first to say it counts. */
  #settle(one, command, members = {}) {
    const { held } = one;
    clearTimeout(one.timer);
    if (this.#running.get(held.key) !== one) {
      return;
    }
    this.#running.delete(held.key);
    if (this.#held.get(held.key) === held) {
      try {
        if (command === "done") {
          this.reports.addFiles(held, one.context.files);
        }
        this.reports.add(held, command, members, true);
      } catch (error) {
        // A result that no JSON can hold: as much a failure as any other.
        this.reports.add(held, "fail", { error: failure(error), retryable: false }, true);
      }
    }
    this.begin();
    this.#changed();
  }

  #overTime(one) {
    const error = new Error("the attempt took too long");
    one.context.stop("timeout");
    this.#settle(one, "fail", { error: failure(error), retryable: true, timed_out: true });
  }

  /** Asks a running attempt to end; if it does not, it is given up here. */
  #stop(key, why) {
    const one = this.#running.get(key);
    if (one !== undefined) {
      one.context.stop(why);
      clearTimeout(one.timer);
      one.timer = setTimeout(() => this.#settle(one, "release"), STOP_MS);
    }
  }

  /** A progress or a line of log; nothing once the attempt has ended. */
  #note(one, command, members) {
    if (this.#running.get(one.held.key) === one && this.#held.get(one.held.key) === one.held) {
      this.reports.add(one.held, command, members);
      this.#changed();
    }
  }

  #giveBack(many) {
    if (many.length > 0) {
      many.forEach((held) => this.reports.add(held, "release", {}, true));
      this.#changed();
    }
  }

  #takeWaiting(key) {
    const at = this.#waiting.findIndex((held) => held.key === key);
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0];
  }

  #forget(held) {
    if (this.#held.get(held.key) === held) {
      this.#held.delete(held.key);
    }
  }
}

function keyOf({ task_id, attempt }) {
  return `${task_id} ${attempt}`;
}
