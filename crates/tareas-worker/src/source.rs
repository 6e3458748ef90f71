//! Where a pool gets its work: the only thing it knows of the outside.

use crate::{Assignment, Completion, Note};

/// Where a pool gets work and leaves results.
///
/// Called by the pool's own threads, several at a time; methods may block. An assignment that
/// was taken comes back exactly once: in a [`settle`](Source::settle) or a
/// [`put_back`](Source::put_back). The pool calls nothing here while it holds a lock.
pub trait Source: Send + Sync + 'static {
    /// Waits for work for this slot and appends one or more assignments to `into`.
    ///
    /// `false` ends the calling thread, after it has run what was appended. Several assignments
    /// run one after the other, so give more than one only if all are quick.
    fn take(&self, slot: usize, into: &mut Vec<Assignment>) -> bool;

    /// Takes over what has ended, leaving `done` empty or not: the pool clears it.
    ///
    /// `slot` ran the attempts; the call may come from another thread than the slot's.
    fn settle(&self, slot: usize, done: &mut Vec<Completion>);

    /// Takes over assignments that were taken and not begun: they are stuck behind a slow one,
    /// or the pool is stopping.
    fn put_back(&self, rest: Vec<Assignment>);

    /// Progress or a log line of a running attempt. Rare; comes before the completion.
    fn note(&self, slot: usize, task_id: u128, attempt: u64, note: Note);

    /// The pool stops: from now on [`take`](Source::take) returns `false` at once, and so do
    /// the calls that are waiting. May come more than once.
    fn close(&self);
}
