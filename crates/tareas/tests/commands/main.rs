//! Commands as handlers, end to end: the real binary, real programs, real signals.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod artifacts;
mod docs;
mod ends;
mod environment;
mod logs;
mod outcomes;
mod persistent;
mod reload;
mod rules;
mod sandbox;
mod server;
