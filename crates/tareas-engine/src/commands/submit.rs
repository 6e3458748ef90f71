//! Submit: accept tasks, one or many at once.
//!
//! The path of a task begins here: judge → decide → acknowledge → publish. The acknowledgement
//! is queued before the task can start, so it precedes the result; it leaves the process when
//! the decision is durable.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tareas_core::limits::{BATCH_COMMANDS_MAX, ID_WINDOW_FUTURE, ID_WINDOW_PAST, INLINE_BYTES_MAX};
use tareas_core::task::Options;
use tareas_core::{
    Batch, Body, Command, Kind, NewTask, Outcome, Position, Spec, Task, TaskId, Timestamp,
};

use crate::kind_rules::KindRules;
use crate::kinds::IsQuick;
use crate::watch::{End, Listening};
use crate::{Engine, Refusal, Submission, nearest_name};

/// Largest payload: beyond it the submission is refused.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 30;
/// The writer is not asked to wait for a task's end while this many tasks are open per thread.
const QUICK_OPEN_MAX: i64 = 16_384;

/// A submission that was accepted, now or before.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The task as it stood when this was decided.
    pub task: Task,
    /// It was accepted before, under the same identity.
    pub is_duplicate: bool,
}

/// What is known of the kind of a submission.
struct KnownKind {
    is_quick: bool,
    rules: Arc<KindRules>,
}

/// What came of a batch of submissions.
#[derive(Debug)]
pub struct Submitted {
    /// One per submission, in order.
    pub outcomes: Vec<Result<Accepted, Refusal>>,
    /// Nothing of it may be told before this is durable.
    pub position: Position,
}

impl Engine {
    /// Accepts tasks, in order. `acknowledge` is called once, after the decision and before any
    /// of the tasks can start; it must not block. What `by` watches is told afterwards.
    pub async fn submit(
        &self,
        mut submissions: Vec<Submission>,
        by: Option<&Listening>,
        acknowledge: impl FnOnce(&Submitted) + Send,
    ) -> Submitted {
        let now = self.now();
        let tags: Vec<Option<u64>> = submissions.iter().map(|s| s.watch).collect();
        let spans = self.begin_spans(&mut submissions);
        let judged = self.judge_all(submissions, now).await;
        let gate = self.acknowledging.read().await;
        let submitted = self.decide(judged, now).await;
        // In this order: a duplicate runs already, and its end must not be told before this.
        acknowledge(&submitted);
        if let Some(by) = by {
            self.watch_accepted(by, &submitted, &tags);
        }
        drop(gate);
        self.count(&submitted);
        self.end_spans(&spans, &submitted, now);
        self.publish_accepted(&submitted).await;
        if let Some(by) = by {
            self.tell_duplicates(by, &submitted, &tags).await;
        }
        submitted
    }

    async fn judge_all(
        &self,
        submissions: Vec<Submission>,
        now: Timestamp,
    ) -> Vec<Result<NewTask, Refusal>> {
        let is_too_many = submissions.len() > BATCH_COMMANDS_MAX;
        let mut ids = self.chance.ids(submissions.len(), now);
        let mut judged = Vec::with_capacity(submissions.len());
        let mut last: Option<(Kind, KnownKind)> = None;
        for submission in submissions {
            let fresh = ids.next().unwrap_or_else(|| TaskId::v7(now, 0));
            if is_too_many {
                let bytes_max = BATCH_COMMANDS_MAX;
                judged.push(Err(Refusal::TooLarge {
                    what: "a batch",
                    bytes_max,
                }));
                continue;
            }
            // Most tasks of a batch are of one kind.
            let is_as_before = last
                .as_ref()
                .is_some_and(|(kind, _)| *kind == submission.kind);
            if !is_as_before {
                let known = self.known(&submission.kind);
                last = known.map(|known| (submission.kind.clone(), known));
            }
            judged.push(match &last {
                Some((_, known)) => self.judge(submission, known, fresh, now).await,
                None => Err(self.unknown(submission.kind)),
            });
        }
        judged
    }

    async fn judge(
        &self,
        mut submission: Submission,
        known: &KnownKind,
        fresh: TaskId,
        now: Timestamp,
    ) -> Result<NewTask, Refusal> {
        if self.is_draining() {
            return Err(Refusal::Draining);
        }
        known.rules.apply(&mut submission).map_err(|fault| {
            let kind = submission.kind.clone();
            Refusal::InvalidPayload { kind, fault }
        })?;
        let id = submission.id.unwrap_or(fresh);
        let payload = self.body(id, submission.payload).await?;
        let spec = Spec {
            id,
            kind: submission.kind,
            queue: submission.queue,
            priority: submission.priority,
            payload,
            submitted_at: now,
            options: self.options(submission.options, submission.id),
        };
        let has_room = self.open.load(Ordering::Relaxed) < QUICK_OPEN_MAX;
        let quick = known.is_quick && has_room && self.remote.is_for_own_pool(&spec);
        Ok(NewTask {
            spec: Arc::new(spec),
            due_at: submission.due.instant(now),
            id_is_fresh: submission.id.is_none(),
            quick,
        })
    }

    fn known(&self, kind: &Kind) -> Option<KnownKind> {
        let quick = self.kinds.look_up(kind);
        if quick.is_none() && !self.config.accept_unknown_kinds {
            return None;
        }
        Some(KnownKind {
            is_quick: quick.is_some_and(|IsQuick(is_quick)| is_quick),
            rules: self.kinds.rules(kind).unwrap_or_default(),
        })
    }

    fn unknown(&self, kind: Kind) -> Refusal {
        let nearest = nearest_name(&kind, self.kinds.all());
        Refusal::UnknownKind { kind, nearest }
    }

    /// The options, with what the server adds: its own retention, and how long an id that a
    /// client chose must be remembered.
    fn options(
        &self,
        options: Option<Box<Options>>,
        client_id: Option<TaskId>,
    ) -> Option<Box<Options>> {
        let retention = options
            .as_ref()
            .and_then(|o| o.retention)
            .or(self.config.retention);
        let Some(kept) = retention else {
            return options;
        };
        let window = ID_WINDOW_PAST + ID_WINDOW_FUTURE;
        let keep_until = client_id
            .filter(|_| kept < window)
            .and_then(TaskId::made_at);
        let mut options = options.unwrap_or_default();
        options.retention = Some(kept);
        options.keep_until = keep_until.map(|made_at| made_at + window);
        Some(options)
    }

    /// A payload as it is recorded: inline, or in the blob store when it is large.
    async fn body(&self, id: TaskId, payload: Bytes) -> Result<Body, Refusal> {
        if payload.len() <= INLINE_BYTES_MAX {
            return Ok(Body::Inline(payload));
        }
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(Refusal::TooLarge {
                what: "a payload",
                bytes_max: PAYLOAD_BYTES_MAX,
            });
        }
        self.put_blob(crate::ports::BlobKey::payload(id), payload)
            .await
    }

    async fn decide(&self, judged: Vec<Result<NewTask, Refusal>>, now: Timestamp) -> Submitted {
        let mut commands = Vec::with_capacity(judged.len());
        let mut refusals = Vec::with_capacity(judged.len());
        for judged in judged {
            refusals.push(match judged {
                Ok(new) => {
                    commands.push(Command::Submit(new));
                    None
                }
                Err(refusal) => Some(refusal),
            });
        }
        let (decided, position) = self.apply_submissions(commands, now).await;
        if decided.len() == refusals.len() {
            return Submitted {
                outcomes: decided,
                position,
            };
        }
        let mut decided = decided.into_iter();
        let outcomes = refusals
            .into_iter()
            .filter_map(|refusal| refusal.map_or_else(|| decided.next(), |r| Some(Err(r))))
            .collect();
        Submitted { outcomes, position }
    }

    async fn apply_submissions(
        &self,
        commands: Vec<Command>,
        now: Timestamp,
    ) -> (Vec<Result<Accepted, Refusal>>, Position) {
        let count = commands.len();
        if count == 0 {
            return (Vec::new(), Position::ZERO);
        }
        match self.ports.records.apply(Batch { now, commands }).await {
            Ok(applied) => {
                let accepted = applied.outcomes.into_iter().map(accepted).collect();
                (accepted, applied.position)
            }
            Err(error) => {
                let refusal = Refusal::from(error);
                tracing::error!(error = %refusal, tasks = count, "submissions were not decided");
                let refused = (0..count).map(|_| Err(refusal.again())).collect();
                (refused, Position::ZERO)
            }
        }
    }

    fn watch_accepted(&self, by: &Listening, submitted: &Submitted, tags: &[Option<u64>]) {
        let accepted = submitted
            .outcomes
            .iter()
            .zip(tags)
            .filter_map(|(outcome, tag)| {
                let accepted = outcome.as_ref().ok()?;
                Some((accepted.task.id(), (*tag)?))
            });
        self.watches.watch(by, accepted);
    }

    fn count(&self, submitted: &Submitted) {
        let new = || {
            submitted
                .outcomes
                .iter()
                .flatten()
                .filter(|accepted| !accepted.is_duplicate)
        };
        let refused = submitted
            .outcomes
            .iter()
            .filter(|outcome| outcome.is_err())
            .count();
        self.open.fetch_add(new().count() as i64, Ordering::Relaxed);
        self.tally
            .submitted(new().map(|accepted| &accepted.task), refused as u64);
    }

    async fn publish_accepted(&self, submitted: &Submitted) {
        let new = submitted
            .outcomes
            .iter()
            .flatten()
            .filter(|accepted| !accepted.is_duplicate);
        self.publish(new.map(|accepted| &accepted.task)).await;
    }

    /// A duplicate may have ended before it was watched: then nobody else would tell.
    async fn tell_duplicates(&self, by: &Listening, submitted: &Submitted, tags: &[Option<u64>]) {
        for (outcome, tag) in submitted.outcomes.iter().zip(tags) {
            let (Ok(accepted), Some(tag)) = (outcome, tag) else {
                continue;
            };
            if accepted.is_duplicate {
                self.tell_if_ended(by, accepted.task.id(), *tag).await;
            }
        }
    }
}

fn accepted(outcome: Outcome) -> Result<Accepted, Refusal> {
    match outcome {
        Outcome::Done(task) => Ok(Accepted {
            task,
            is_duplicate: false,
        }),
        Outcome::Already(task) => Ok(Accepted {
            task,
            is_duplicate: true,
        }),
        Outcome::Refused(rejected) => Err(Refusal::Rejected(rejected)),
    }
}

impl Engine {
    /// Tells `by` of a task that it watches, when it has ended already.
    pub(crate) async fn tell_if_ended(&self, by: &Listening, id: TaskId, tag: u64) {
        let Ok((tasks, position)) = self.ports.records.load(&[id]).await else {
            return;
        };
        let Some(task) = tasks.into_iter().flatten().next() else {
            return;
        };
        if task.state.is_terminal() && self.watches.unwatch(by, id, tag) {
            self.watches.tell_one(by, position, End { tag, task });
        }
    }
}
