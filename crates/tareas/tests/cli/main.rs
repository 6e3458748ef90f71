//! The binary from outside: exit codes, streams, texts, byte by byte where they are promised.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod backup;
mod bench;
mod bulk;
mod client;
mod config;
mod help;
mod pty;
mod run;
mod serve;
mod submit;
mod tasks;
