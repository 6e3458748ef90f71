/** Submit tasks to a tareas server, and run them. */

export interface ConnectOptions {
  /** Milliseconds to connect; 5,000. */
  connectTimeout?: number;
  /** Milliseconds until the server must have answered; 30,000. */
  answerTimeout?: number;
  /** Milliseconds for which a lost connection is made again; 60,000. */
  reconnectFor?: number;
  /** A token, where the server asks for one. */
  token?: string;
  /** In Node, with `tls://`: certificates to trust instead of those of Node, as PEM text. */
  ca?: string;
  /** The language of messages and hints. */
  lang?: "en" | "es";
}

/** The options of a task, as in the protocol. */
export interface TaskOptions {
  task_id?: string;
  idempotency_key?: string;
  queue?: string;
  priority?: number;
  delay_ms?: number;
  due_at?: string | number;
  expires_at?: string | number;
  timeout_ms?: number;
  max_attempts?: number;
  backoff?: { initial_ms?: number; max_ms?: number; factor?: number };
  retention_ms?: number;
  metadata?: Record<string, string>;
  requires?: string[];
  /** The span that submits it, in a trace across programs. */
  traceparent?: string;
  tracestate?: string;
  /** `false`: the server does not tell the end by itself; `result()` asks for it. */
  wait?: boolean;
}

export interface WaitOptions {
  /** Milliseconds; without it as long as it takes. */
  timeout?: number;
}

export type TaskStatus = "scheduled" | "queued" | "running" | "succeeded" | "failed" | "cancelled";

export interface ErrorObject {
  code: string;
  name: string;
  message: string;
  hint: string;
  retryable: boolean;
}

/** One attempt of a task, as the server remembers it. */
export interface AttemptObject {
  attempt: number;
  outcome?: string;
  /** Who ran it, if it failed, and which of its threads. */
  worker?: string;
  thread?: number;
  /** What the handler's own process ended with: a code, or the signal that ended it. */
  exit_code?: number;
  signal?: number;
  started_at?: string;
  finished_at?: string;
  error?: ErrorObject;
  /** What its handler calls the error, and where in the handler it happened. */
  type?: string;
  backtrace?: string;
}

/** A task as the server describes it. There may be more members than these. */
export interface TaskObject {
  task_id: string;
  status: TaskStatus;
  kind: string;
  queue: string;
  priority: number;
  payload?: unknown;
  result?: unknown;
  reason?: string;
  error?: ErrorObject;
  attempt?: number;
  max_attempts?: number;
  attempts?: AttemptObject[];
  [member: string]: unknown;
}

export interface Hello {
  server: string;
  version: string;
  protocol: number;
  features: string[];
  workers: number;
  threads: number;
  now: string;
  open_max: number;
}

export interface ListQuery {
  filter?: string;
  status?: string;
  kind?: string;
  queue?: string;
  limit?: number;
  cursor?: string;
}

export type Submission = [kind: string, payload?: unknown, options?: TaskOptions] | ({ kind: string; payload?: unknown } & TaskOptions);

/** What one attempt has said. */
export interface AttemptLog {
  attempt: number;
  lines: string[];
  /** What it had of its result so far. */
  output?: string;
  truncated: boolean;
}

/** What a followed task says. */
export type FollowedEvent =
  | { event: "log" | "output"; task_id: string; attempt: number; text: string }
  | { event: "progress"; task_id: string; attempt: number; percent: number; message: string }
  | { event: "truncated"; task_id: string; attempt: number }
  | { event: "end"; task_id: string; status: TaskStatus };

/** Connects to a server: `tcp://HOST:PORT` or `tls://HOST:PORT` in Node, `ws://…` or `http://…` in a browser. */
export function connect(server?: string, options?: ConnectOptions): Promise<Client>;

/** A connection to a server. */
export class Client {
  constructor(server: string, options?: ConnectOptions);
  submit<Result = unknown>(kind: string, payload?: unknown, options?: TaskOptions): Promise<Task<Result>>;
  submitMany<Result = unknown>(tasks: Iterable<Submission>): Promise<Task<Result>[]>;
  map<Result = unknown>(kind: string, payloads: Iterable<unknown>, options?: TaskOptions & WaitOptions): Promise<Result[]>;
  task<Result = unknown>(id: string): Task<Result>;
  wait<Result = unknown>(id: string, options?: WaitOptions): Promise<Result>;
  status(id: string): Promise<TaskObject>;
  cancel(id: string): Promise<TaskStatus>;
  requeue(id: string): Promise<TaskStatus>;
  logs(id: string): Promise<AttemptLog[]>;
  follow(id: string): AsyncGenerator<FollowedEvent, void, void>;
  list(query?: ListQuery): Promise<{ tasks: TaskObject[]; next_cursor: string | null }>;
  hello(): Promise<Hello>;
  fetchJson(path: string): Promise<unknown>;
  close(): void;
}

/** A task that was accepted. */
export class Task<Result = unknown> {
  private constructor();
  readonly id: string;
  result(options?: WaitOptions): Promise<Result>;
  cancel(): Promise<TaskStatus>;
  status(): Promise<TaskObject>;
  follow(): AsyncGenerator<FollowedEvent, void, void>;
}

export interface WorkerOptions {
  name?: string;
  /** All queues when left out. */
  queues?: string[];
  labels?: string[];
  /** Attempts at the same time; 10. */
  concurrency?: number;
  /** Short tasks to hold beyond those; 256. */
  prefetch?: number;
  /** Milliseconds that running attempts get when the worker stops; 30,000. */
  drainGrace?: number;
  token?: string;
  /** In Node, with `tls://`: certificates to trust instead of those of Node, as PEM text. */
  ca?: string;
}

export type Handler<Payload = any, Result = unknown> = (payload: Payload, context: Context) => Result | Promise<Result>;

/** Runs the tasks of a server. */
export class Worker {
  constructor(server?: string, options?: WorkerOptions);
  task<Payload = any, Result = unknown>(kind: string, handler: Handler<Payload, Result>): Handler<Payload, Result>;
  start(): Promise<void>;
  run(): Promise<void>;
  stop(options?: { signal?: AbortSignal }): Promise<void>;
}

/** One running attempt. */
export class Context {
  private constructor();
  readonly taskId: string;
  readonly attempt: number;
  readonly kind: string;
  readonly queue: string;
  readonly metadata: Record<string, string>;
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly deadline: number;
  readonly signal: AbortSignal;
  remaining(): number;
  check(): void;
  sleep(ms: number): Promise<void>;
  progress(percent: number, message?: string): void;
  log(text: string): void;
  output(text: string): void;
  attach(name: string, data: string | ArrayBuffer | ArrayLike<number>, type?: string): void;
}

/** A new task id. */
export function uuid7(): string;

export class TareasError extends Error {}
export class ConnectionLost extends TareasError {}
export class TimedOut extends TareasError {}

declare class Told extends TareasError {
  /** Such as `TAR-1204`. */
  code: string;
  /** Such as `unknown_kind`. */
  errorName: string;
  hint: string;
  retryable: boolean;
  retryAfterMs?: number;
  pointer?: string;
  taskId?: string;
}

export class Refused extends Told {}
export class TaskFailed extends Told {
  reason: string;
}
export class TaskCancelled extends TareasError {
  taskId: string;
  reason: string;
}

/** Thrown by a handler: try again, later when `afterMs` says so. */
export class Retry extends TareasError {
  constructor(message?: string, options?: { afterMs?: number });
}

/** Thrown by a handler: trying again cannot help. */
export class Rejected extends TareasError {
  constructor(message?: string);
}
