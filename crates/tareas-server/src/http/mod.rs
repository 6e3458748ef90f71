//! The HTTP face: `/v1` for programs, one page for people, probes and metrics for machines.
//!
//! [`serve`] takes over a connection whose first bytes were HTTP. Every request passes the same
//! guard (`guard.rs`), which keeps foreign pages away and hardens the answer, then reaches the one
//! handler that `router.rs` names for its path, past the judge (`routes.rs`, `access.rs`). Errors are problem+json with the error object of
//! every other face (`problem.rs`), in the caller's language. Nothing outside of this folder knows
//! axum or hyper.

mod access;
mod api;
mod body;
mod bulk;
mod connection;
mod errors;
mod guard;
mod health;
mod history;
mod kinds;
mod language;
mod live;
mod look;
mod operate;
mod page;
mod patience;
mod prefer;
mod problem;
mod pulse;
mod router;
mod routes;
mod scale;
mod shared;
mod socket;
mod tasks;
mod tokens;
mod topology;
mod visit;
mod webhooks;

pub use connection::serve;
pub(crate) use health::store_is_up;
pub(crate) use problem::last_words;
pub use shared::HttpState;
