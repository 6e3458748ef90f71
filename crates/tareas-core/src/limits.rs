//! Every limit of the life cycle, with its name and its unit.
//!
//! Limits of sockets and files live beside the code that holds them; these are the ones that
//! mean the same on every stack.

use std::time::Duration;

/// Longest name of a kind, queue, key or label.
pub const NAME_BYTES_MAX: usize = 128;
/// Payloads and results above this go to the blob store.
pub const INLINE_BYTES_MAX: usize = 64 * 1024;
/// Most commands in one batch.
pub const BATCH_COMMANDS_MAX: usize = 10_000;
/// Starts that may fail before a task is given up, if not said.
pub const MAX_ATTEMPTS_DEFAULT: u32 = 5;
/// The most that a task may ask for.
pub const MAX_ATTEMPTS_CAP: u32 = 100;
/// Deaths of its executor that make a task `failed(poison)`.
pub const MAX_CRASHES: u32 = 3;
/// First delay of a retry.
pub const BACKOFF_INITIAL: Duration = Duration::from_secs(1);
/// Longest delay of a retry.
pub const BACKOFF_MAX: Duration = Duration::from_secs(600);
/// How long one attempt may take, if not said.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(300);
/// The most that a task may ask for.
pub const TIMEOUT_CAP: Duration = Duration::from_secs(24 * 3600);
/// How long a finished task is kept, if not said.
pub const RETENTION_DEFAULT: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long an idempotency key is kept at least.
pub const KEY_RETENTION_MIN: Duration = Duration::from_secs(24 * 3600);
/// How old the instant inside a client's task id may be.
pub const ID_WINDOW_PAST: Duration = Duration::from_secs(24 * 3600);
/// How far ahead it may be.
pub const ID_WINDOW_FUTURE: Duration = Duration::from_secs(300);
/// A released or reclaimed task waits up to this long before it is tried again.
pub const RECLAIM_DELAY_MAX: Duration = Duration::from_millis(500);
/// Longest text of a failure message that is kept.
pub const FAILURE_BYTES_MAX: usize = 16 * 1024;
