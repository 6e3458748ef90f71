//! `tareas migrate`: a folder full of tasks to PostgreSQL and a bucket, and back.

#![expect(clippy::unwrap_used, reason = "these are tests")]

#[path = "../cli/run.rs"]
#[expect(dead_code, reason = "the tests of the commands use all of it")]
mod run;
#[path = "../../../tareas-adapters/tests/s3_support/mod.rs"]
#[expect(dead_code, reason = "the tests of the adapter use all of it")]
mod s3_support;

mod crashed;
mod interrupted;
mod refused;
mod there_and_back;
mod world;
