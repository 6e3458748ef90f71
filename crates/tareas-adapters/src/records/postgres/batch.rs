//! Tasks as arrays of columns: what the statements unnest. Rows are in order of id.

use tareas_core::ledger::{Row, Write};
use tareas_core::{Attempt, Command, Phase, Task, TaskId, Timestamp};
use uuid::Uuid;

use super::instant::Instant;
use super::link::Value;
use super::row::{session_uuid, uuid};
use crate::records::row::{Image, blob_column, failure_text, inline_column, options_column};

/// Values of [`INSERT`](super::statements::INSERT).
#[derive(Debug, Default)]
pub(super) struct Inserted<'a> {
    ids: Vec<Uuid>,
    states: Vec<i16>,
    queues: Vec<&'a str>,
    kinds: Vec<&'a str>,
    priorities: Vec<i16>,
    places: Vec<Option<i64>>,
    due_ats: Vec<Option<Instant>>,
    submitted_ats: Vec<Instant>,
    expires_ats: Vec<Option<Instant>>,
    timeouts: Vec<Option<i64>>,
    payload_blobs: Vec<Option<String>>,
    options: Vec<Option<Vec<u8>>>,
    payloads: Vec<Option<&'a [u8]>>,
    keys: Vec<Option<&'a [u8]>>,
}

impl<'a> Inserted<'a> {
    /// These tasks, all of them new.
    pub(super) fn of(tasks: impl Iterator<Item = &'a Task>) -> Self {
        let mut columns = Self::default();
        for task in tasks {
            columns.push(task);
        }
        columns
    }

    fn push(&mut self, task: &'a Task) {
        let (image, spec) = (Image::of(task), &*task.spec);
        self.ids.push(uuid(spec.id));
        self.states.push(small(image.state));
        self.queues.push(spec.queue.as_str());
        self.kinds.push(spec.kind.as_str());
        self.priorities.push(i16::from(spec.priority.level()));
        self.places.push(image.place);
        self.due_ats.push(image.due_at.map(Instant));
        self.submitted_ats.push(spec.submitted_at.into());
        self.expires_ats.push(image.expires_at.map(Instant));
        let timeout = spec.options().timeout.map(|timeout| timeout.as_micros());
        let timeout = timeout.map(|micros| i64::try_from(micros).unwrap_or(i64::MAX));
        self.timeouts.push(timeout);
        self.payload_blobs.push(blob_column(&spec.payload));
        self.options.push(options_column(task));
        self.payloads.push(inline_column(&spec.payload));
        let key = spec.options().idempotency_key.as_ref();
        self.keys.push(key.map(|key| key.as_bytes()));
    }

    /// Whether one of them has a key.
    pub(super) fn has_keys(&self) -> bool {
        self.keys.iter().any(Option::is_some)
    }

    /// In the order of the statement.
    pub(super) fn values<'b>(&'b self, shard: &'b i32, origin: &'b Uuid) -> [Value<'b>; 16] {
        [
            shard,
            &self.ids,
            &self.states,
            &self.queues,
            &self.kinds,
            &self.priorities,
            &self.places,
            &self.due_ats,
            &self.submitted_ats,
            &self.expires_ats,
            &self.timeouts,
            &self.payload_blobs,
            &self.options,
            &self.payloads,
            &self.keys,
            origin,
        ]
    }
}

/// Values of [`REPLACE`](super::statements::REPLACE).
#[derive(Debug, Default)]
pub(super) struct Replaced<'a> {
    ids: Vec<Uuid>,
    versions: Vec<i64>,
    was: Vec<i16>,
    states: Vec<i16>,
    reasons: Vec<Option<i16>>,
    places: Vec<Option<i64>>,
    due_ats: Vec<Option<Instant>>,
    sessions: Vec<Option<Uuid>>,
    held_places: Vec<Option<i64>>,
    tokens: Vec<Option<Uuid>>,
    attempts: Vec<i64>,
    charged: Vec<i32>,
    crashes: Vec<i32>,
    cancel_requested: Vec<bool>,
    started_ats: Vec<Option<Instant>>,
    finished_ats: Vec<Option<Instant>>,
    deadline_ats: Vec<Option<Instant>>,
    expires_ats: Vec<Option<Instant>>,
    prune_ats: Vec<Option<Instant>>,
    result_blobs: Vec<Option<String>>,
    errors: Vec<Option<Vec<u8>>>,
    results: Vec<Option<&'a [u8]>>,
    ended: Endings,
}

/// The ending of an attempt that a transition left behind: at most one each.
#[derive(Debug, Default)]
struct Endings {
    attempts: Vec<Option<i64>>,
    starts: Vec<Option<Instant>>,
    ends: Vec<Option<Instant>>,
    outcomes: Vec<Option<i16>>,
    errors: Vec<Option<Vec<u8>>>,
}

impl<'a> Replaced<'a> {
    /// These transitions: each with the phase that it leaves.
    pub(super) fn of(rows: impl Iterator<Item = (&'a Row, Phase)>) -> Self {
        let mut columns = Self::default();
        for (row, was) in rows {
            if let Write::Update { base } = row.write {
                columns.push(&row.task, base, was);
                columns.ended.push(row.endings.first());
            }
        }
        columns
    }

    fn push(&mut self, task: &'a Task, base: u64, was: Phase) {
        let image = Image::of(task);
        self.ids.push(uuid(task.id()));
        self.versions.push(base.cast_signed());
        self.was.push(was as i16);
        self.states.push(small(image.state));
        self.reasons.push(image.reason.map(small));
        self.places.push(image.place);
        self.due_ats.push(image.due_at.map(Instant));
        self.sessions
            .push(task.lease().map(|lease| session_uuid(lease.session)));
        self.held_places.push(image.held_place);
        self.tokens.push(image.token.map(Uuid::from_bytes));
        self.attempts.push(task.attempt.cast_signed());
        self.charged.push(task.charged.cast_signed());
        self.crashes.push(task.crashes.cast_signed());
        self.cancel_requested.push(task.cancel_requested);
        self.started_ats.push(image.started_at.map(Instant));
        self.finished_ats.push(image.finished_at.map(Instant));
        self.deadline_ats.push(image.deadline_at.map(Instant));
        self.expires_ats.push(image.expires_at.map(Instant));
        self.prune_ats.push(image.prune_at.map(Instant));
        self.result_blobs.push(image.result_blob);
        self.errors.push(image.error);
        self.results
            .push(task.result.as_ref().and_then(inline_column));
    }

    /// In the order of the statement.
    pub(super) fn values<'b>(&'b self, shard: &'b i32) -> [Value<'b>; 28] {
        [
            shard,
            &self.ids,
            &self.versions,
            &self.was,
            &self.states,
            &self.reasons,
            &self.places,
            &self.due_ats,
            &self.sessions,
            &self.held_places,
            &self.tokens,
            &self.attempts,
            &self.charged,
            &self.crashes,
            &self.cancel_requested,
            &self.started_ats,
            &self.finished_ats,
            &self.deadline_ats,
            &self.expires_ats,
            &self.prune_ats,
            &self.result_blobs,
            &self.errors,
            &self.results,
            &self.ended.attempts,
            &self.ended.starts,
            &self.ended.ends,
            &self.ended.outcomes,
            &self.ended.errors,
        ]
    }
}

impl Endings {
    fn push(&mut self, ended: Option<&Attempt>) {
        self.attempts
            .push(ended.map(|ended| ended.attempt.cast_signed()));
        let start = ended.and_then(|ended| ended.started_at);
        self.starts.push(start.map(Instant::from));
        self.ends.push(ended.map(|ended| ended.ended_at.into()));
        self.outcomes.push(ended.map(|ended| ended.outcome as i16));
        let failure = ended.and_then(|ended| ended.failure.as_deref());
        self.errors.push(failure.map(failure_text));
    }
}

/// Values of [`REMOVE`](super::statements::REMOVE).
#[derive(Debug, Default)]
pub(super) struct Removed<'a> {
    ids: Vec<Uuid>,
    versions: Vec<i64>,
    was: Vec<i16>,
    keys: Vec<&'a [u8]>,
    owners: Vec<Uuid>,
}

impl<'a> Removed<'a> {
    /// These removals, each with the phase that it was decided on.
    pub(super) fn of(rows: impl Iterator<Item = (&'a Row, Phase)>) -> Self {
        let mut columns = Self::default();
        for (row, was) in rows {
            let Write::Delete { base } = row.write else {
                continue;
            };
            columns.ids.push(uuid(row.task.id()));
            columns.versions.push(base.cast_signed());
            columns.was.push(was as i16);
            if let Some(key) = &row.task.spec.options().idempotency_key {
                columns.keys.push(key.as_bytes());
                columns.owners.push(uuid(row.task.id()));
            }
        }
        columns
    }

    /// In the order of the statement.
    pub(super) fn values<'b>(&'b self, shard: &'b i32) -> [Value<'b>; 6] {
        let (keys, owners) = (&self.keys, &self.owners);
        [shard, &self.ids, &self.versions, keys, owners, &self.was]
    }
}

/// Values of [`CLAIM`](super::statements::CLAIM).
#[derive(Debug, Default)]
pub(super) struct Claims {
    ids: Vec<Uuid>,
    attempts: Vec<i64>,
    sessions: Vec<Uuid>,
    tokens: Vec<Option<Uuid>>,
    ats: Vec<Instant>,
}

impl Claims {
    /// Adds one claim; other commands are left out.
    pub(super) fn push(&mut self, command: &Command, now: Timestamp) {
        if let Command::Claim {
            task,
            expected_attempt,
            session,
            token,
        } = command
        {
            self.ids.push(uuid(*task));
            self.attempts.push(expected_attempt.cast_signed());
            self.sessions.push(session_uuid(*session));
            let token = token.map(|token| Uuid::from_u128(token.bits()));
            self.tokens.push(token);
            self.ats.push(now.into());
        }
    }

    /// In the order of the statement.
    pub(super) fn values<'b>(&'b self, shard: &'b i32, timeout: &'b i64) -> [Value<'b>; 7] {
        [
            shard,
            &self.ids,
            &self.attempts,
            &self.sessions,
            &self.tokens,
            &self.ats,
            timeout,
        ]
    }
}

/// Ids as the driver takes them, in order.
pub(super) fn uuids(ids: impl Iterator<Item = TaskId>) -> Vec<Uuid> {
    let mut uuids: Vec<Uuid> = ids.map(uuid).collect();
    uuids.sort_unstable();
    uuids
}

/// States and reasons are small numbers.
fn small(number: i64) -> i16 {
    number as i16
}
