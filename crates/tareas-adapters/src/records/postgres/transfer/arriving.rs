//! Whole tasks as arrays of columns, and the statements that unnest them.

use std::collections::BTreeMap;

use tareas_engine::ports::WholeTask;
use uuid::Uuid;

use crate::records::postgres::instant::Instant;
use crate::records::postgres::link::Value;
use crate::records::postgres::row::{session_uuid, uuid};
use crate::records::row::{Image, blob_column, failure_text, inline_column, options_column};

/// Tasks as they are, whatever they have been through.
pub(super) const INSERT_TASKS: &str = "INSERT INTO tareas.tasks (id, version, state, reason, \
      queue, kind, priority, place, due_at, session_id, held_place, token, attempt, charged, \
      crashes, cancel_requested, submitted_at, started_at, finished_at, deadline_at, expires_at, \
      prune_at, timeout_us, payload_blob, result_blob, error, options, payload, result) \
    SELECT * FROM unnest($1::uuid[], $2::int8[], $3::int2[], $4::int2[], $5::text[], $6::text[], \
      $7::int2[], $8::int8[], $9::timestamptz[], $10::uuid[], $11::int8[], $12::uuid[], \
      $13::int8[], $14::int4[], $15::int4[], $16::bool[], $17::timestamptz[], \
      $18::timestamptz[], $19::timestamptz[], $20::timestamptz[], $21::timestamptz[], \
      $22::timestamptz[], $23::int8[], $24::text[], $25::text[], $26::bytea[], $27::bytea[], \
      $28::bytea[], $29::bytea[])";
pub(super) const INSERT_KEYS: &str = "INSERT INTO tareas.keys (key, id) \
    SELECT * FROM unnest($1::bytea[], $2::uuid[])";
pub(super) const INSERT_ATTEMPTS: &str = "INSERT INTO tareas.attempts (task_id, attempt, \
      started_at, ended_at, outcome, error) \
    SELECT * FROM unnest($1::uuid[], $2::int8[], $3::timestamptz[], $4::timestamptz[], \
      $5::int2[], $6::bytea[])";
/// In the shard of nobody.
pub(super) const ADD_COUNTS: &str = "INSERT INTO tareas.counts (shard, queue, state, n) \
    SELECT 0, d.* FROM unnest($1::text[], $2::int2[], $3::int8[]) AS d(queue, state, n) \
    ON CONFLICT (shard, queue, state) DO UPDATE SET n = counts.n + excluded.n";

/// Values of [`INSERT_TASKS`].
#[derive(Debug, Default)]
pub(super) struct Tasks<'a> {
    ids: Vec<Uuid>,
    versions: Vec<i64>,
    states: Vec<i16>,
    reasons: Vec<Option<i16>>,
    queues: Vec<&'a str>,
    kinds: Vec<&'a str>,
    priorities: Vec<i16>,
    places: Vec<Option<i64>>,
    due_ats: Vec<Option<Instant>>,
    sessions: Vec<Option<Uuid>>,
    held_places: Vec<Option<i64>>,
    tokens: Vec<Option<Uuid>>,
    attempts: Vec<i64>,
    charged: Vec<i32>,
    crashes: Vec<i32>,
    cancel_requested: Vec<bool>,
    submitted_ats: Vec<Instant>,
    started_ats: Vec<Option<Instant>>,
    finished_ats: Vec<Option<Instant>>,
    deadline_ats: Vec<Option<Instant>>,
    expires_ats: Vec<Option<Instant>>,
    prune_ats: Vec<Option<Instant>>,
    timeouts: Vec<Option<i64>>,
    payload_blobs: Vec<Option<String>>,
    result_blobs: Vec<Option<String>>,
    errors: Vec<Option<Vec<u8>>>,
    options: Vec<Option<Vec<u8>>>,
    payloads: Vec<Option<&'a [u8]>>,
    results: Vec<Option<&'a [u8]>>,
}

impl<'a> Tasks<'a> {
    /// These tasks.
    pub(super) fn of(tasks: &'a [WholeTask]) -> Self {
        let mut columns = Self::default();
        for whole in tasks {
            columns.push_asked(whole);
            columns.push_image(whole);
        }
        columns
    }

    /// What was asked, which never changes.
    fn push_asked(&mut self, whole: &'a WholeTask) {
        let (task, spec) = (&whole.task, &*whole.task.spec);
        self.ids.push(uuid(spec.id));
        self.queues.push(spec.queue.as_str());
        self.kinds.push(spec.kind.as_str());
        self.priorities.push(i16::from(spec.priority.level()));
        self.submitted_ats.push(spec.submitted_at.into());
        let timeout = spec.options().timeout.map(|timeout| timeout.as_micros());
        let timeout = timeout.map(|micros| i64::try_from(micros).unwrap_or(i64::MAX));
        self.timeouts.push(timeout);
        self.payload_blobs.push(blob_column(&spec.payload));
        self.options.push(options_column(task));
        self.payloads.push(inline_column(&spec.payload));
    }

    /// Where it stands.
    fn push_image(&mut self, whole: &'a WholeTask) {
        let task = &whole.task;
        let image = Image::of(task);
        let session = task.lease().map(|lease| session_uuid(lease.session));
        self.versions.push(task.version.cast_signed());
        self.states.push(task.phase() as i16);
        self.reasons.push(task.reason().map(|reason| reason as i16));
        self.places.push(image.place);
        self.due_ats.push(image.due_at.map(Instant));
        self.sessions.push(session);
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
    pub(super) fn values(&self) -> [Value<'_>; 29] {
        [
            &self.ids,
            &self.versions,
            &self.states,
            &self.reasons,
            &self.queues,
            &self.kinds,
            &self.priorities,
            &self.places,
            &self.due_ats,
            &self.sessions,
            &self.held_places,
            &self.tokens,
            &self.attempts,
            &self.charged,
            &self.crashes,
            &self.cancel_requested,
            &self.submitted_ats,
            &self.started_ats,
            &self.finished_ats,
            &self.deadline_ats,
            &self.expires_ats,
            &self.prune_ats,
            &self.timeouts,
            &self.payload_blobs,
            &self.result_blobs,
            &self.errors,
            &self.options,
            &self.payloads,
            &self.results,
        ]
    }
}

/// Values of [`INSERT_KEYS`].
#[derive(Debug, Default)]
pub(super) struct Keys<'a> {
    keys: Vec<&'a [u8]>,
    owners: Vec<Uuid>,
}

impl<'a> Keys<'a> {
    /// The keys of these tasks.
    pub(super) fn of(tasks: &'a [WholeTask]) -> Self {
        let mut columns = Self::default();
        for whole in tasks {
            if let Some(key) = &whole.task.spec.options().idempotency_key {
                columns.keys.push(key.as_bytes());
                columns.owners.push(uuid(whole.task.id()));
            }
        }
        columns
    }

    /// In the order of the statement.
    pub(super) fn values(&self) -> [Value<'_>; 2] {
        [&self.keys, &self.owners]
    }
}

/// Values of [`INSERT_ATTEMPTS`].
#[derive(Debug, Default)]
pub(super) struct Attempts {
    tasks: Vec<Uuid>,
    numbers: Vec<i64>,
    starts: Vec<Option<Instant>>,
    ends: Vec<Instant>,
    outcomes: Vec<i16>,
    errors: Vec<Option<Vec<u8>>>,
}

impl Attempts {
    /// The attempts of these tasks.
    pub(super) fn of(tasks: &[WholeTask]) -> Self {
        let mut columns = Self::default();
        for whole in tasks {
            for ended in &whole.attempts {
                columns.tasks.push(uuid(whole.task.id()));
                columns.numbers.push(ended.attempt.cast_signed());
                columns.starts.push(ended.started_at.map(Instant::from));
                columns.ends.push(ended.ended_at.into());
                columns.outcomes.push(ended.outcome as i16);
                columns
                    .errors
                    .push(ended.failure.as_deref().map(failure_text));
            }
        }
        columns
    }

    /// In the order of the statement.
    pub(super) fn values(&self) -> [Value<'_>; 6] {
        [
            &self.tasks,
            &self.numbers,
            &self.starts,
            &self.ends,
            &self.outcomes,
            &self.errors,
        ]
    }
}

/// Values of [`ADD_COUNTS`].
#[derive(Debug, Default)]
pub(super) struct Added<'a> {
    queues: Vec<&'a str>,
    states: Vec<i16>,
    numbers: Vec<i64>,
}

impl<'a> Added<'a> {
    /// How many of these tasks there are.
    pub(super) fn of(tasks: &'a [WholeTask]) -> Self {
        let mut sums: BTreeMap<(&str, i16), i64> = BTreeMap::new();
        for WholeTask { task, .. } in tasks {
            *sums
                .entry((task.spec.queue.as_str(), task.phase() as i16))
                .or_default() += 1;
        }
        let mut columns = Self::default();
        for ((queue, state), number) in sums {
            columns.queues.push(queue);
            columns.states.push(state);
            columns.numbers.push(number);
        }
        columns
    }

    /// In the order of the statement.
    pub(super) fn values(&self) -> [Value<'_>; 3] {
        [&self.queues, &self.states, &self.numbers]
    }
}
