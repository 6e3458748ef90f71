/** Tasks as they are sent. */

import { dumps } from "./json.js";
import { uuid7 } from "./uuid7.js";

/** Tasks, and characters, of one line of `batch`; the server takes 10,000 and 8 MiB. */
const BATCH_TASKS = 1_000;
const BATCH_CHARS = 2 * 1024 * 1024;

/** A submission in the full form, without its `cmd`. */
export function submission(kind, payload, options) {
  const { task_id = uuid7(), ...rest } = options;
  return { kind, payload: payload === undefined ? null : payload, task_id, ...rest };
}

/** An object as kind, payload and options. */
export function parts({ kind, payload, ...options }) {
  return [kind, payload, options];
}

/** Submissions as texts, as many together as one line takes. */
export function* batches(requests) {
  let batch = [];
  let chars = 0;
  for (const request of requests) {
    const text = dumps(request);
    if (batch.length >= BATCH_TASKS || (batch.length > 0 && chars + text.length > BATCH_CHARS)) {
      yield batch;
      batch = [];
      chars = 0;
    }
    batch.push(text);
    chars += text.length;
  }
  if (batch.length > 0) {
    yield batch;
  }
}
