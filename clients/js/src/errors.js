/** What can go wrong, as classes. Those that the server tells carry its stable code. */

/** Every error of this package. */
export class TareasError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = new.target.name;
  }
}

/**
 * No server was reached, or not again in time. What was submitted may have been accepted:
 * submitting it again with the same `task_id` is safe.
 */
export class ConnectionLost extends TareasError {}

/** The time for waiting is over; the task goes on. */
export class TimedOut extends TareasError {}

/** An error object of the server. */
class Told extends TareasError {
  constructor(error = {}, taskId) {
    super(`${error.message ?? "unknown error"} [${error.code ?? "?"}] ${error.hint ?? ""}`.trim());
    this.code = String(error.code ?? "");
    this.errorName = String(error.name ?? "");
    this.hint = String(error.hint ?? "");
    this.retryable = Boolean(error.retryable);
    this.retryAfterMs = error.retry_after_ms;
    this.pointer = error.pointer;
    this.taskId = taskId;
  }
}

/** The server did not do what was asked, and says why. */
export class Refused extends Told {}

/** The task has failed for good. */
export class TaskFailed extends Told {
  constructor(error, taskId, reason) {
    super(error, taskId);
    this.reason = reason;
  }
}

/** The task was cancelled. */
export class TaskCancelled extends TareasError {
  constructor(taskId, reason) {
    super(`task ${taskId} was cancelled: ${reason}`);
    this.taskId = taskId;
    this.reason = reason;
  }
}

/** Thrown by a handler: try again, after so many milliseconds when it says so. */
export class Retry extends TareasError {
  constructor(message = "try again later", { afterMs } = {}) {
    super(message);
    this.afterMs = afterMs;
  }
}

/** Thrown by a handler: the input is wrong, trying again cannot help. */
export class Rejected extends TareasError {}
