//! How a pool of named threads runs handlers.
//!
//! A [`Registry`] says which handler runs a kind of task. A [`Pool`] takes [`Assignment`]s from
//! a [`Source`], runs each on one of its threads, and hands back a [`Completion`]. Three things
//! may be relied on:
//!
//! - every assignment that was taken ends in exactly one way: one completion, or `put_back`;
//! - a handler that panics, hangs or returns nonsense costs its attempt, never the process;
//! - an ended attempt is handed over within milliseconds, whatever runs after it.
//!
//! The crate knows neither the engine nor the network: both are behind [`Source`].
//!
//! ```
//! use tareas_worker::{Context, HandlerError, Registry};
//!
//! #[derive(serde::Deserialize)]
//! struct Resize { width: u32, height: u32 }
//!
//! let mut registry = Registry::new();
//! registry.register("resize", |context: &Context, wanted: Resize| -> Result<u32, HandlerError> {
//!     context.check()?; // ends here when the task was cancelled
//!     wanted.width.checked_mul(wanted.height).ok_or_else(|| HandlerError::rejected("too large"))
//! });
//! let result = registry.run(&Context::detached("resize"), r#"{"width":4,"height":3}"#.into());
//! assert_eq!(result.unwrap(), "12");
//! ```
//!
//! A handler fails with a [`HandlerError`]: any standard error by `?`, which is tried again;
//! [`HandlerError::rejected`] when trying again cannot help; [`HandlerError::retry`] with a delay of
//! its own ([`HandlerError::after`]). A panic is a failure of its attempt. [`Context`] tells what the
//! handler may want to know, takes progress, logs and files, and says when to stop. Programs in any
//! language are handlers, too: [`command`].

mod artifact;
mod assignment;
mod bell;
mod cancel;
pub mod command;
mod context;
mod error;
mod handlers;
mod pool;
mod readiness;
mod registry;
mod source;
mod trail;

pub use artifact::{ARTIFACT_NAME_BYTES_MAX, ARTIFACTS_BYTES_MAX, ARTIFACTS_MAX, Artifact};
pub use assignment::{Assignment, Completion, Ending, Trace};
pub use cancel::{CancelHandle, Cause, Interrupted};
pub use context::Context;
pub use error::{HandlerError, ProcessEnd};
pub use handlers::builtin;
pub use pool::{Pool, PoolOptions, SlotView};
pub use registry::{KindInfo, Registry};
pub use source::Source;
pub use trail::{Note, Progress, Trail};
