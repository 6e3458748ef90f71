//! The lines face, spoken to over real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod abuse;
mod access;
mod commands;
mod durable;
mod endings;
mod framing;
mod order;
mod proxied;
mod rights;
mod socket;
mod support;
#[path = "../table/mod.rs"]
mod table;
mod transcripts;
