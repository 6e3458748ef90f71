//! Every limit of the wire, by name and with its unit.
//!
//! They are checked before anything is allocated for what they bound.

/// Longest line, in bytes without its newline.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;
/// Longest line of the `batch` command (see [`crate::frame`] for how one is recognised).
pub const BATCH_LINE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How much of an oversize line is thrown away before the connection is given up.
pub const DISCARD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Within so many bytes of its beginning a long line must show that it is a batch.
pub const BATCH_HEAD_BYTES_MAX: usize = 4 * 1024;
/// Silence after which bytes without a newline count as a line (classroom framing).
pub const UNFRAMED_WAIT_MS: u64 = 200;
/// Deepest nesting of JSON; the outermost value is at depth 1.
pub const JSON_DEPTH_MAX: u32 = 64;
/// Most object keys in one JSON text, at every depth together. Each task of a batch is
/// counted by itself.
pub const JSON_KEYS_MAX: usize = 10_000;
/// Most tasks in one batch.
pub const BATCH_TASKS_MAX: usize = 10_000;
/// Longest name of a kind, queue, label or idempotency key.
pub const NAME_BYTES_MAX: usize = 128;
/// Longest `ref`, as JSON text.
pub const REF_BYTES_MAX: usize = 256;
/// Longest authentication token.
pub const TOKEN_BYTES_MAX: usize = 4 * 1024;
/// Most entries of `metadata`.
pub const METADATA_ENTRIES_MAX: usize = 16;
/// Longest key, and longest value, of `metadata`.
pub const METADATA_BYTES_MAX: usize = 256;
/// Longest `tracestate`.
pub const TRACESTATE_BYTES_MAX: usize = 512;
/// Most labels in `requires`.
pub const REQUIRES_MAX: usize = 16;
/// Highest priority; the lowest is 0.
pub const PRIORITY_MAX: u8 = 9;
/// Highest `max_attempts` that may be asked for.
pub const ATTEMPTS_MAX: u32 = 100;
/// Longest `timeout_ms` of an attempt: one day.
pub const ATTEMPT_TIMEOUT_MS_MAX: u64 = 24 * 3_600_000;
/// Longest `timeout_ms` of the `wait` command, and what holds when none is given: one hour.
pub const WAIT_MS_MAX: u64 = 3_600_000;
/// Longest `delay_ms` and `retention_ms`: ten years of 365 days.
pub const DELAY_MS_MAX: u64 = 10 * 365 * 24 * 3_600_000;
/// Longest `initial_ms` and `max_ms` of a backoff: one day.
pub const BACKOFF_MS_MAX: u64 = 24 * 3_600_000;
/// Highest `factor` of a backoff; the lowest is 1.
pub const BACKOFF_FACTOR_MAX: f64 = 100.0;
/// A result longer than this travels as `result_ref`.
pub const RESULT_INLINE_BYTES_MAX: usize = 256 * 1024;
/// Most tasks that a remote worker may run at once.
pub const SLOTS_MAX: u16 = 1_024;
/// Most short tasks that a remote worker may hold beyond those it runs.
pub const PREFETCH_MAX: u16 = 8_192;
/// Most attempts that a worker can say it holds: what it runs and what it holds beyond.
pub const HOLDING_MAX: usize = (SLOTS_MAX + PREFETCH_MAX) as usize;
/// Most kinds of one remote worker.
pub const WORKER_KINDS_MAX: usize = 1_024;
/// Most queues that a remote worker can name.
pub const WORKER_QUEUES_MAX: usize = 256;
/// Most labels of one remote worker.
pub const LABELS_MAX: usize = 64;
/// Most reports in one line of `many`.
pub const ITEMS_MAX: usize = 10_000;
/// Longest message of an error or of a progress.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024;
/// Longest backtrace of an error.
pub const BACKTRACE_BYTES_MAX: usize = 64 * 1024;
/// Longest text of one `log` line.
pub const LOG_BYTES_MAX: usize = 64 * 1024;
/// Longest place in a log that a reader comes back with.
pub const PLACE_BYTES_MAX: usize = 64;
/// Most files of one attempt.
pub const ARTIFACTS_MAX: usize = 64;
/// Longest name of a file.
pub const ARTIFACT_NAME_BYTES_MAX: usize = 255;
/// Longest media type of a file.
pub const MEDIA_TYPE_BYTES_MAX: usize = 128;
/// Most bytes that a worker sends in pieces (`output`, `artifact`), those of all attempts that have
/// not ended together.
pub const OUTPUT_BYTES_MAX: usize = 64 * 1024 * 1024;
