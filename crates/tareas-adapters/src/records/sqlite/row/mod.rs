//! The codec between a task and its row.
//!
//! Columns hold what statements look for; what differs from the defaults and what went wrong
//! are small JSON texts, as in every database ([`crate::records::row`]). Reading is the inverse of writing: the tests of the store
//! write tasks of every state and read the same tasks back.

mod read;
mod write;

pub(super) use self::read::{attempt, id as read_id, stored};
pub(super) use self::write::{PAYLOAD_IN_ROW_MAX, payload_apart};
pub(super) use crate::records::row::{
    Image, blob_column, failure_text, inline_column, options_column,
};

/// The columns that [`stored`] reads, in its order; the table is called `t`.
pub(super) const COLUMNS: &str = "t.seq, t.id, t.version, t.state, t.reason, t.queue, t.kind, \
    t.priority, t.place, t.due_at, t.session, t.held_place, t.deadline_at, t.token, t.attempt, \
    t.charged, t.crashes, t.cancel_requested, t.submitted_at, t.started_at, t.finished_at, \
    t.options, t.error, coalesce(t.payload, \
      (SELECT p.bytes FROM payloads p WHERE p.seq = t.seq)), \
    t.payload_blob, t.result, t.result_blob";
