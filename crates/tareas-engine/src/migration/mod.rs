//! Migration: all records and blobs of one system are brought to other stores, and proved to
//! have arrived.
//!
//! ```text
//! Export ──leaf──▶ blobs of the leaf ──▶ Import::put (tasks and mark, both or neither) ──▶ next leaf
//!                                        … then what is beside tasks, then the proof, then finish
//! ```
//!
//! What it promises:
//! - A run that is killed is gone on with by the next one; no task is there twice.
//! - Nobody serves from the target before the [proof](prove) holds, nor from the source
//!   meanwhile: the ports see to both.
//! - The source is only read, so going back is starting it again.
//! - Memory is bounded by two leaves and by the blobs that are under way at a time.

mod blobs;
mod canon;
mod copy;
mod error;
mod proof;

pub use self::canon::Fingerprint;
pub use self::copy::{Copied, copy};
pub use self::error::MigrationError;
pub use self::proof::{Side, Whole, prove, survey};

use std::fmt;

/// What a migration is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Tasks and blobs are brought over.
    Copy,
    /// Both sides are read again and compared.
    Prove,
}

/// How far a migration is: for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// What it is doing.
    pub step: Step,
    /// Tasks done in this step, by earlier runs too.
    pub tasks: u64,
    /// Tasks in all.
    pub of: u64,
    /// Bytes of blobs in this step, of this run.
    pub blob_bytes: u64,
}

/// Is told how far a migration is, after each leaf.
pub trait Watch: fmt::Debug + Sync {
    /// This far.
    fn report(&self, report: Report);
}
