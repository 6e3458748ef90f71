//! Commands as handlers, end to end: the real binary, real programs, real signals.

mod artifacts;
mod docs;
mod ends;
mod environment;
mod logs;
mod outcomes;
mod persistent;
mod reload;
mod rules;
mod server;
