//! What a task is, and what can happen to it.
//!
//! This crate is pure: no I/O, no async, no clock, no chance. Time and chance are arguments
//! (`now`, [`Token`], [`Jitter`]), so the same commands always give the same decisions. That
//! makes it three things at once: the code that decides in production, the oracle that every
//! `Records` adapter is compared with, and the model that the property tests explore.
//!
//! Start with [`Task`] (what it is), then [`lifecycle`] (what can happen to one task), then
//! [`Ledger`] (many tasks: identities, order in line, what is not yet on disk).

pub mod command;
pub mod diagram;
mod id;
pub mod ledger;
pub mod lifecycle;
pub mod limits;
mod name;
mod retry;
pub mod task;
mod time;
mod trace;

pub use command::{Actor, Applied, Batch, Command, Hint, Lane, Outcome, Rejected, Sweep, Want};
pub use id::{Fence, Position, SessionId, TaskId, Token};
pub use ledger::Ledger;
pub use lifecycle::Ending;
pub use name::{InvalidName, Kind, Priority, QueueName};
pub use retry::{Backoff, Jitter, RetryPolicy};
pub use task::{
    Attempt, AttemptOutcome, Blob, Body, Cause, Failure, Lease, NewTask, Options, Phase,
    ProcessEnd, RanBy, Reason, Spec, State, Task,
};
pub use time::{Place, Timestamp};
pub use trace::TraceContext;
