//! What the system does, when, through which ports.
//!
//! The engine accepts, claims, settles, cancels and tells; it decides nothing about states
//! (that is `tareas-core`) and knows no database, broker, socket or file (those are adapters
//! and faces). The path of one task, and where it is in this crate:
//!
//! ```text
//! face → Engine::submit (commands/submit.rs) → Records::apply → acknowledged when durable
//!      → Queue::publish (commands/publish.rs) → Dispatcher::take (dispatcher.rs): Records::apply(claim)
//!      → the pool runs the handler → Dispatcher::settle: Records::apply(settle)
//!      → Watches::tell (watch.rs) → the face that holds the client, when durable
//! ```

pub mod access;
mod artifacts;
mod blobs;
mod block_on;
pub mod bulk;
mod chance;
pub mod commands;
#[cfg(feature = "contract")]
pub mod contract;
mod dispatcher;
mod engine;
pub mod failpoint;
pub mod filter;
mod fleet;
pub mod history;
mod kind_rules;
mod kinds;
mod membership;
pub mod migration;
mod nearest;
mod notes;
mod offers;
pub mod ports;
pub mod queries;
mod recover;
mod refusal;
mod remote;
mod results;
pub mod services;
mod submission;
pub mod tally;
mod watch;
pub mod webhooks;

pub use artifacts::{Artifact, NewArtifact, artifact_count};
pub use block_on::block_on;
pub use chance::Chance;
pub use commands::{Accepted, Submitted, Waited};
pub use dispatcher::{Claimed, Claimer, Dispatcher, Settled};
pub use engine::{Engine, EngineConfig, Pool, PoolSlot, Ports, Running};
pub use kind_rules::{KindRules, PayloadCheck, PayloadFault};
pub use kinds::{IsQuick, Kinds, QUICK_BELOW};
pub use membership::{LeaseTerms, Membership};
pub use nearest::nearest_name;
pub use notes::{AttemptNotes, Heard, Notes, Progress, Seen};
pub use queries::{Why, WhyCode};
pub use refusal::Refusal;
pub use remote::{
    Assigned, BEAT, Courier, HeldBy, LostWorker, Opened, Patience, Said, SessionLink, Telling,
    Verdict, WINDOW, WorkerHello, WorkerState, WorkerView,
};
pub use submission::{Due, Submission};
pub use watch::{End, Listener, Listening};
