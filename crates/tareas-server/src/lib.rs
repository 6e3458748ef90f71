//! How lines, HTTP and the dashboard reach the engine.
//!
//! One port speaks everything: the [`listener`] accepts, looks at the first bytes, and hands the
//! connection to [`lines`] or [`http`]. Both use [`view`] (a core task as the wire shows it) and
//! [`codes`] (why the engine refused, as the wire says it). `filter` is the language in which every
//! face says which tasks it means. [`state`] is what they share. What clients leave in a queue
//! outside comes through the [`door`].

mod access;
pub mod backends;
pub mod codes;
pub mod door;
mod filter;
mod follow;
pub mod http;
pub mod intake;
pub mod limits;
pub mod lines;
pub mod listener;
pub mod metrics;
mod redaction;
pub mod state;
pub mod tokens;
pub mod trace;
pub mod view;
pub mod webhooks;

pub use backends::{Backend, Backends};
pub use door::{DoorCounts, Doorkeeper};
pub use limits::Limits;
pub use listener::{ListenError, Listener};
pub use redaction::{DEFAULT as REDACTED, Redaction};
pub use state::{ServerConfig, ServerState};
