//! `tareas migrate`: a folder full of tasks to PostgreSQL and a bucket, and back.

#![expect(clippy::unwrap_used, reason = "these are tests")]

#[path = "../cli/run.rs"]
#[expect(dead_code, reason = "the tests of the commands use all of it")]
mod run;

mod crashed;
mod interrupted;
mod refused;
mod there_and_back;
mod world;
