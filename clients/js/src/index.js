/**
 * Submit tasks to a tareas server, and run them.
 *
 * The same files serve Node and browsers: what only Node has is loaded when it is needed.
 *
 * @module tareas
 */

export { Client, connect } from "./client.js";
export {
  ConnectionLost,
  Refused,
  Rejected,
  Retry,
  TareasError,
  TaskCancelled,
  TaskFailed,
  TimedOut,
} from "./errors.js";
export { Task } from "./task.js";
export { uuid7 } from "./uuid7.js";
export { Context } from "./context.js";
export { Worker } from "./worker.js";
