/** A line on its way: what has been said about it, and what is still to come. */

import { ConnectionLost, Refused } from "./errors.js";

const ENDS = new Set(["succeeded", "failed", "cancelled"]);

/** A line that is not answered completely. */
export class Asked {
  #first = deferred();
  #end;
  #hasFirst = false;
  #timer;

  constructor(line, wantsEnd) {
    this.line = line;
    this.#end = wantsEnd ? deferred() : undefined;
  }

  get first() {
    return this.#first.promise;
  }

  get end() {
    return this.#end?.promise;
  }

  /** Waits no longer than this for the first answer. */
  limit(ms, forget) {
    this.#timer = setTimeout(() => {
      forget();
      this.fail(new ConnectionLost("the server does not answer"));
    }, ms);
  }

  fail(error) {
    clearTimeout(this.#timer);
    this.#first.reject(error);
    this.#end?.reject(error);
  }

  /** Takes what was said about the line; whether that was the last of it. */
  take(said) {
    if (said.error !== undefined && said.status === undefined) {
      this.fail(new Refused(said.error, said.task_id));
      return true;
    }
    const isFirst = !this.#hasFirst;
    if (isFirst) {
      this.#hasFirst = true;
      clearTimeout(this.#timer);
      this.#first.resolve(said);
    }
    if (this.#end === undefined) {
      return true;
    }
    const isEnd = ENDS.has(said.status) && !said.duplicate && hasOutcome(said);
    if (isEnd) {
      this.#end.resolve(said);
    }
    return isEnd;
  }
}

/** An acknowledgement names the status only. */
function hasOutcome(said) {
  return "result" in said || "result_ref" in said || "reason" in said;
}

/** A promise and what settles it; one that nobody asks for disturbs nobody. */
export function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  made.promise.catch(() => {});
  return made;
}
