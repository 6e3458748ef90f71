/** A followed task: what was said about it and not taken yet. */

import { Refused } from "./errors.js";

/** The events of one task, as they come. */
export class Followed {
  #lineOf;
  #after;
  #waiting = [];
  #wake = () => {};
  #error;

  /** @param {(after: string | undefined) => string} lineOf what asks for everything after a place */
  constructor(lineOf) {
    this.#lineOf = lineOf;
  }

  /** What asks for everything that has not come. */
  get line() {
    return this.#lineOf(this.#after);
  }

  /** Takes what was said; whether that was the last of it. */
  take(said) {
    if (said.error !== undefined) {
      this.fail(new Refused(said.error, said.task_id));
      return true;
    }
    const { ref, at, ...event } = said;
    this.#after = at ?? this.#after;
    this.#waiting.push(event);
    this.#wake();
    return event.event === "end";
  }

  fail(error) {
    this.#error = error;
    this.#wake();
  }

  /** The events, until the end of the task. */
  async *events() {
    for (;;) {
      while (this.#waiting.length > 0) {
        const event = this.#waiting.shift();
        yield event;
        if (event.event === "end") return;
      }
      if (this.#error !== undefined) throw this.#error;
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
