//! The HTTP face, asked as a client would ask it: bytes in, bytes out, over a whole system in
//! memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod access;
mod api;
mod bulk;
mod client;
mod crews;
mod dashboard;
mod events;
mod guard;
mod history;
mod http2;
mod limits;
mod operate;
mod page;
mod problems;
mod rights;
mod submit;
#[path = "../table/mod.rs"]
mod table;
mod tasks;
mod world;
