//! The lines face, spoken to over real sockets.

mod abuse;
mod commands;
mod durable;
mod endings;
mod framing;
mod order;
mod support;
mod transcripts;
