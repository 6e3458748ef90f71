//! A fingerprint of many tasks that does not depend on their order.
//!
//! Each task is written down in one way only, every part with its length, and hashed; the
//! fingerprint is the sum of the hashes. What belongs to one store alone is left out: the exact
//! number of a place in line, which an import may have to change (the order in line stays).

use std::fmt;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tareas_core::{
    Attempt, Body, Failure, Options, ProcessEnd, RanBy, Spec, State, Task, Timestamp, TraceContext,
};

use crate::ports::WholeTask;

/// The sum of the hashes of tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint([u128; 2]);

impl Fingerprint {
    /// Adds a task.
    pub fn add(&mut self, whole: &WholeTask) {
        let mut canon = Canon(Sha256::new());
        canon.task(&whole.task);
        canon.count(whole.attempts.len());
        whole.attempts.iter().for_each(|ended| canon.attempt(ended));
        let hash: [u8; 32] = canon.0.finalize().into();
        for (sum, half) in self.0.iter_mut().zip(hash.chunks_exact(16)) {
            let half = half.try_into().map_or(0, u128::from_be_bytes);
            *sum = sum.wrapping_add(half);
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}{:032x}", self.0[0], self.0[1])
    }
}

/// Writes values so that no two different sequences of them look the same.
struct Canon(Sha256);

impl Canon {
    fn number(&mut self, number: u64) {
        self.0.update(number.to_be_bytes());
    }

    fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Whether there is a value, and then the value.
    fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.number(u64::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn instant(&mut self, at: Timestamp) {
        self.number(at.as_micros().cast_unsigned());
    }

    fn duration(&mut self, duration: Duration) {
        self.number(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }

    fn task(&mut self, task: &Task) {
        self.spec(&task.spec);
        self.number(task.version);
        self.state(task);
        self.number(task.attempt);
        self.number(u64::from(task.charged));
        self.number(u64::from(task.crashes));
        self.number(u64::from(task.cancel_requested));
        self.maybe(task.started_at, Self::instant);
        self.maybe(task.finished_at, Self::instant);
        self.maybe(task.last_token, |canon, token| {
            canon.bytes(&token.bits().to_be_bytes());
        });
        self.maybe(task.result.as_ref(), Self::body);
        self.maybe(task.failure.as_deref(), Self::failure);
    }

    fn spec(&mut self, spec: &Spec) {
        self.bytes(spec.id.as_bytes());
        self.text(spec.kind.as_str());
        self.text(spec.queue.as_str());
        self.number(u64::from(spec.priority.level()));
        self.body(&spec.payload);
        self.instant(spec.submitted_at);
        self.maybe(spec.options.as_deref(), Self::options);
    }

    fn options(&mut self, options: &Options) {
        self.maybe(options.expires_at, Self::instant);
        self.maybe(options.timeout, Self::duration);
        self.maybe(options.retry, |canon, retry| {
            canon.number(u64::from(retry.max_attempts));
            canon.duration(retry.backoff.initial);
            canon.duration(retry.backoff.max);
            canon.number(retry.backoff.factor.to_bits());
        });
        self.maybe(options.retention, Self::duration);
        self.maybe(options.idempotency_key.as_deref(), Self::text);
        self.count(options.metadata.len());
        for (name, value) in &options.metadata {
            self.text(name);
            self.text(value);
        }
        self.count(options.requires.len());
        options.requires.iter().for_each(|label| self.text(label));
        self.maybe(options.keep_until, Self::instant);
        self.maybe(options.trace.as_ref(), Self::trace);
    }

    fn trace(&mut self, trace: &TraceContext) {
        self.bytes(&trace.trace_id.to_be_bytes());
        self.number(trace.span_id);
        self.number(u64::from(trace.flags));
        self.maybe(trace.state.as_deref(), Self::text);
    }

    fn state(&mut self, task: &Task) {
        self.text(task.phase().name());
        match task.state {
            State::Scheduled { due_at } => self.instant(due_at),
            State::Running(lease) => {
                self.number(lease.session.0);
                self.maybe(lease.token, |canon, token| {
                    canon.bytes(&token.bits().to_be_bytes());
                });
                self.instant(lease.deadline_at);
            }
            State::Failed(reason) | State::Cancelled(reason) => self.text(reason.name()),
            State::Queued { .. } | State::Succeeded => {}
        }
    }

    fn body(&mut self, body: &Body) {
        match body {
            Body::Inline(text) => {
                self.number(0);
                self.bytes(text);
            }
            Body::Blob(blob) => {
                self.number(1);
                self.text(&blob.key);
                self.number(blob.bytes);
                self.bytes(&blob.sha256);
            }
        }
    }

    fn failure(&mut self, failure: &Failure) {
        self.text(failure.cause.name());
        self.maybe(failure.name.as_deref(), Self::text);
        self.text(&failure.message);
        self.maybe(failure.backtrace.as_deref(), Self::text);
        self.maybe(failure.ran_by.as_ref(), Self::ran_by);
        self.maybe(failure.process_end, Self::process_end);
    }

    fn ran_by(&mut self, by: &RanBy) {
        self.text(&by.worker);
        self.maybe(by.thread.map(u64::from), Self::number);
    }

    fn process_end(&mut self, end: ProcessEnd) {
        let (way, number) = match end {
            ProcessEnd::Exit(code) => ("exit", code),
            ProcessEnd::Signal(number) => ("signal", number),
        };
        self.text(way);
        self.number(u64::from(number.cast_unsigned()));
    }

    fn attempt(&mut self, ended: &Attempt) {
        self.number(ended.attempt);
        self.maybe(ended.started_at, Self::instant);
        self.instant(ended.ended_at);
        self.text(ended.outcome.name());
        self.maybe(ended.failure.as_deref(), Self::failure);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use tareas_core::{Kind, Place, Priority, QueueName, TaskId};

    use super::*;

    fn whole(number: u128, payload: &'static str) -> WholeTask {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let spec = Spec {
            id: TaskId::v7(now, number),
            kind: Kind::new("square").unwrap(),
            queue: QueueName::default(),
            priority: Priority::default(),
            payload: Body::Inline(Bytes::from_static(payload.as_bytes())),
            submitted_at: now,
            options: None,
        };
        let task = Task {
            spec: Arc::new(spec),
            version: 1,
            state: State::Queued { place: Place(1) },
            attempt: 0,
            charged: 0,
            crashes: 0,
            cancel_requested: false,
            started_at: None,
            finished_at: None,
            last_token: None,
            result: None,
            failure: None,
        };
        let attempts = Vec::new();
        WholeTask { task, attempts }
    }

    fn of(tasks: &[WholeTask]) -> Fingerprint {
        let mut sum = Fingerprint::default();
        tasks.iter().for_each(|task| sum.add(task));
        sum
    }

    #[test]
    fn order_does_not_matter_and_everything_else_does() {
        let (one, two) = (whole(1, "1"), whole(2, "2"));
        let both = of(&[one.clone(), two.clone()]);
        assert_eq!(both, of(&[two.clone(), one.clone()]));
        assert_eq!(both.to_string().len(), 64);
        let mut changed = one.clone();
        changed.task.cancel_requested = true;
        for other in [
            of(std::slice::from_ref(&one)),
            of(&[one.clone(), one.clone(), two.clone()]),
            of(&[whole(1, "2"), whole(2, "1")]),
            of(&[changed, two]),
        ] {
            assert_ne!(both, other);
        }
    }

    #[test]
    fn a_place_in_line_is_the_stores_own() {
        let one = whole(1, "1");
        let mut moved = one.clone();
        moved.task.state = State::Queued { place: Place(2) };
        assert_eq!(of(&[one]), of(&[moved]));
    }
}
