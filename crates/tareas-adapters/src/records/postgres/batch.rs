//! Tasks as rows: what the statements unnest, in order of id.

use tareas_core::ledger::Write;
use tareas_core::{Attempt, Phase, QueueName, SessionId, Task, TaskId};
use uuid::Uuid;

use super::decide::Decision;
use super::instant::Instant;
use super::line::Entered;
use super::link::Value;
use super::row::{session_uuid, uuid};
use super::rows::{Fields, Rows};
use crate::records::row::{Image, blob_column, failure_text, inline_column, options_column};

/// Values of [`INSERT`](super::statements::INSERT) and its kin.
#[derive(Debug, Default)]
pub(super) struct Inserted {
    rows: Rows,
    lines: Rows,
    counts: Rows,
    has_keys: bool,
}

impl Inserted {
    /// These tasks, all of them new.
    pub(super) fn of<'a>(tasks: impl Iterator<Item = &'a Task>) -> Self {
        let mut inserted = Self {
            rows: Rows::with_room(tasks.size_hint().0),
            ..Self::default()
        };
        let (mut entered, mut counts) = (Entered::default(), Counted::default());
        for task in tasks {
            inserted.has_keys |= task.spec.options().idempotency_key.is_some();
            inserted.rows.push(|fields| new_task(fields, task));
            entered.add(task);
            counts.add(task);
        }
        (inserted.lines, inserted.counts) = (entered.rows(), counts.rows());
        inserted
    }

    /// Whether one of them has a key.
    pub(super) fn has_keys(&self) -> bool {
        self.has_keys
    }

    /// In the order of the statement; the last of them are the counts, which only
    /// [`INSERT_FRESH`](super::statements::INSERT_FRESH) takes.
    pub(super) fn values<'b>(
        &'b self,
        shard: &'b i32,
        origin: &'b Uuid,
        entry: &'b Uuid,
    ) -> [Value<'b>; 6] {
        let (rows, lines) = (&self.rows, &self.lines);
        [shard, rows, origin, entry, lines, &self.counts]
    }
}

/// How many new tasks there are of each queue and state.
#[derive(Debug, Default)]
struct Counted<'a>(Vec<(&'a QueueName, Phase, i64)>);

impl<'a> Counted<'a> {
    fn add(&mut self, task: &'a Task) {
        let (queue, phase) = (&task.spec.queue, task.phase());
        let mut counts = self.0.iter_mut().rev();
        match counts.find(|(of, is, _)| *is == phase && *of == queue) {
            Some((_, _, count)) => *count += 1,
            None => self.0.push((queue, phase, 1)),
        }
    }

    /// Rows of the type `tareas.new_count`.
    fn rows(self) -> Rows {
        let mut rows = Rows::default();
        for (queue, phase, count) in self.0 {
            rows.push(|fields| {
                fields.text(Some(queue.as_str()));
                fields.int2(Some(phase as i16));
                fields.int8(Some(count));
            });
        }
        rows
    }
}

/// A row of the type `tareas.new_task`.
fn new_task(fields: &mut Fields<'_>, task: &Task) {
    let (image, spec) = (Image::of(task), &*task.spec);
    fields.uuid(Some(uuid(spec.id)));
    fields.int2(Some(small(image.state)));
    fields.text(Some(spec.queue.as_str()));
    fields.text(Some(spec.kind.as_str()));
    fields.int2(Some(i16::from(spec.priority.level())));
    fields.int8(image.place);
    fields.instant(image.due_at.map(Instant));
    fields.instant(Some(spec.submitted_at.into()));
    fields.instant(image.expires_at.map(Instant));
    let timeout = spec.options().timeout.map(|timeout| timeout.as_micros());
    fields.int8(timeout.map(|micros| i64::try_from(micros).unwrap_or(i64::MAX)));
    fields.text(blob_column(&spec.payload).as_deref());
    fields.bytes(options_column(task).as_deref());
    fields.bytes(inline_column(&spec.payload));
    let key = spec.options().idempotency_key.as_ref();
    fields.bytes(key.map(|key| key.as_bytes()));
}

/// Values of [`REPLACE`](super::statements::REPLACE).
#[derive(Debug, Default)]
pub(super) struct Replaced {
    rows: Rows,
    lines: Rows,
    sessions: Sessions,
}

impl Replaced {
    /// These transitions.
    pub(super) fn of<'a>(decisions: impl ExactSizeIterator<Item = &'a Decision>) -> Self {
        let mut entered = Entered::default();
        let mut replaced = Self {
            rows: Rows::with_room(decisions.len()),
            ..Self::default()
        };
        for decision in decisions {
            if let (Write::Update { base }, Some(was)) = (decision.write, decision.was) {
                replaced.rows.push(|fields| {
                    new_image(fields, &decision.task, base, was);
                    ending(fields, decision.ended.as_ref());
                });
                let lease = decision.task.lease();
                replaced.sessions.extend(lease.map(|lease| lease.session));
                entered.add(&decision.task);
            }
        }
        replaced.lines = entered.rows();
        replaced
    }

    /// In the order of the statement; `id` is of what it claims and of what enters lines by it.
    pub(super) fn values<'b>(&'b self, shard: &'b i32, id: &'b Uuid) -> [Value<'b>; 5] {
        [shard, &self.rows, &self.sessions.0, id, &self.lines]
    }
}

/// A row of the type `tareas.new_image`, up to the attempt that ended.
fn new_image(fields: &mut Fields<'_>, task: &Task, base: u64, was: Phase) {
    let image = Image::of(task);
    fields.uuid(Some(uuid(task.id())));
    fields.int8(Some(base.cast_signed()));
    fields.int2(Some(was as i16));
    fields.int2(Some(small(image.state)));
    fields.int2(image.reason.map(small));
    fields.int8(image.place);
    fields.instant(image.due_at.map(Instant));
    let session = task.lease().map(|lease| session_uuid(lease.session));
    fields.uuid(session);
    fields.int8(image.held_place);
    fields.uuid(image.token.map(Uuid::from_bytes));
    fields.int8(Some(task.attempt.cast_signed()));
    fields.int4(task.charged.cast_signed());
    fields.int4(task.crashes.cast_signed());
    fields.bool(task.cancel_requested);
    fields.instant(image.started_at.map(Instant));
    fields.instant(image.finished_at.map(Instant));
    fields.instant(image.deadline_at.map(Instant));
    fields.instant(image.expires_at.map(Instant));
    fields.instant(image.prune_at.map(Instant));
    fields.text(image.result_blob.as_deref());
    fields.bytes(image.error.as_deref());
    fields.bytes(task.result.as_ref().and_then(inline_column));
}

/// The rest of it: the attempt that a transition left behind, at most one each.
fn ending(fields: &mut Fields<'_>, ended: Option<&Attempt>) {
    fields.int8(ended.map(|ended| ended.attempt.cast_signed()));
    let start = ended.and_then(|ended| ended.started_at);
    fields.instant(start.map(Instant::from));
    fields.instant(ended.map(|ended| ended.ended_at.into()));
    fields.int2(ended.map(|ended| ended.outcome as i16));
    let failure = ended.and_then(|ended| ended.failure.as_deref());
    fields.bytes(failure.map(failure_text).as_deref());
}

/// Values of [`SUCCEED`](super::statements::SUCCEED).
#[derive(Debug, Default)]
pub(super) struct Succeeded {
    rows: Rows,
}

impl Succeeded {
    /// Whether a transition is the plain end of an attempt, of which nothing else is to be stored.
    pub(super) fn is_one(decision: &Decision) -> bool {
        decision.was == Some(Phase::Running)
            && decision.task.phase() == Phase::Succeeded
            && decision.ended.is_none()
    }

    /// These transitions.
    pub(super) fn of<'a>(decisions: impl ExactSizeIterator<Item = &'a Decision>) -> Self {
        let mut succeeded = Self {
            rows: Rows::with_room(decisions.len()),
        };
        for Decision { write, task, .. } in decisions {
            if let Write::Update { base } = *write {
                let fields = |fields: &mut Fields<'_>| new_success(fields, task, base);
                succeeded.rows.push(fields);
            }
        }
        succeeded
    }

    /// In the order of the statement.
    pub(super) fn values<'b>(&'b self, shard: &'b i32) -> [Value<'b>; 2] {
        [shard, &self.rows]
    }
}

/// A row of the type `tareas.new_success`.
fn new_success(fields: &mut Fields<'_>, task: &Task, base: u64) {
    let image = Image::of(task);
    fields.uuid(Some(uuid(task.id())));
    fields.int8(Some(base.cast_signed()));
    fields.instant(image.finished_at.map(Instant));
    fields.instant(image.prune_at.map(Instant));
    fields.text(image.result_blob.as_deref());
    fields.bytes(task.result.as_ref().and_then(inline_column));
}

/// The sessions that rows name, each once where they come one after the other.
#[derive(Debug, Default)]
struct Sessions(Vec<Uuid>);

impl Sessions {
    fn extend(&mut self, session: Option<SessionId>) {
        let session = session.map(session_uuid);
        self.0
            .extend(session.filter(|session| self.0.last() != Some(session)));
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
    /// These removals.
    pub(super) fn of(decisions: impl Iterator<Item = &'a Decision>) -> Self {
        let mut columns = Self::default();
        for decision in decisions {
            let (Write::Delete { base }, Some(was)) = (decision.write, decision.was) else {
                continue;
            };
            columns.ids.push(uuid(decision.id));
            columns.versions.push(base.cast_signed());
            columns.was.push(was as i16);
            if let Some(key) = &decision.task.spec.options().idempotency_key {
                columns.keys.push(key.as_bytes());
                columns.owners.push(uuid(decision.id));
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
