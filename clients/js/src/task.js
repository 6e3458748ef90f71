/** A task that was accepted, and what its end means. */

import { TaskCancelled, TaskFailed, TimedOut } from "./errors.js";

/** A task that was accepted. */
export class Task {
  #client;
  #end;

  /**
   * @param {import("./client.js").Client} client
   * @param {string} id
   * @param {Promise<object> | undefined} end its end, when the server is going to tell it
   */
  constructor(client, id, end) {
    this.#client = client;
    this.#end = end;
    /** Its id. */
    this.id = id;
    // Whoever never asks for the result is not told of a lost connection, either.
    end?.catch(() => {});
  }

  /** Waits for the result: throws `TaskFailed`, `TaskCancelled`, `TimedOut` or `ConnectionLost`. */
  async result({ timeout } = {}) {
    if (this.#end === undefined) {
      return this.#client.wait(this.id, { timeout });
    }
    return outcome(this.#client, this.id, await within(this.#end, timeout));
  }

  /** Gives it up: `cancelled`, or `running` when it was asked to stop. */
  cancel() {
    return this.#client.cancel(this.id);
  }

  /** The whole task object. */
  status() {
    return this.#client.status(this.id);
  }

  /** What its attempts say, until it has ended. */
  follow() {
    return this.#client.follow(this.id);
  }
}

/** The result that an end carries; throws what it is otherwise. */
export async function outcome(client, id, end) {
  switch (end.status) {
    case "succeeded":
      return end.result_ref === undefined ? end.result : client.fetchJson(end.result_ref.url);
    case "failed":
      throw new TaskFailed(end.error, id, end.reason);
    case "cancelled":
      throw new TaskCancelled(id, end.reason);
    default:
      throw new TimedOut("the time for waiting is over; the task goes on");
  }
}

async function within(promise, timeout) {
  if (timeout === undefined) {
    return promise;
  }
  let timer;
  const late = new Promise((_, reject) => {
    const error = new TimedOut("the time for waiting is over; the task goes on");
    timer = setTimeout(() => reject(error), timeout);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
