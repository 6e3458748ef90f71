//! The life cycle: every transition of one task, as total functions of (task, event, now).
//!
//! Each function either changes the task and raises its version by one, or refuses and changes
//! nothing. Nobody else in the project decides about states: stores carry these decisions out
//! with a compare-and-set on the version. The rows T1 to T14 are drawn in `docs/lifecycle.md`,
//! which is generated from [`crate::diagram`].

use std::sync::Arc;
use std::time::Duration;

use crate::limits::{MAX_CRASHES, RECLAIM_DELAY_MAX};
use crate::{
    Attempt, AttemptOutcome, Body, Cause, Failure, Fence, Jitter, Lease, NewTask, Place, RanBy,
    Reason, Rejected, SessionId, State, Task, Timestamp, Token,
};

/// How an attempt ended, in the words of the one who ran it.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// The handler returned a result.
    Succeeded(Body),
    /// The handler failed.
    Failed {
        /// What went wrong.
        failure: Arc<Failure>,
        /// Whether trying again can help.
        retryable: bool,
        /// The delay that the handler asks for, in place of the back-off.
        retry_after: Option<Duration>,
    },
    /// The handler stopped because it was asked to.
    Cancelled,
    /// Not finished, through no fault of its own: given back, not charged.
    Released,
}

/// What a transition left behind besides the task: the record of an attempt that ended without
/// a success. Successes are in the task itself.
pub type Ended = Option<Attempt>;

/// T1. Accepts a task: scheduled when it is due later, else queued at `place`.
pub fn submit(new: &NewTask, now: Timestamp, place: Place) -> Task {
    let state = match new.due_at {
        Some(due_at) if due_at > now => State::Scheduled { due_at },
        _ => State::Queued { place },
    };
    Task {
        spec: Arc::clone(&new.spec),
        version: 1,
        state,
        attempt: 0,
        charged: 0,
        crashes: 0,
        cancel_requested: false,
        started_at: None,
        finished_at: None,
        last_token: None,
        result: None,
        failure: None,
    }
}

/// T2. The time of a scheduled task has come.
pub fn due(task: &mut Task, now: Timestamp, place: Place) -> Result<Ended, Rejected> {
    match task.state {
        State::Scheduled { due_at } if due_at <= now => {
            enter(task, State::Queued { place });
            Ok(None)
        }
        _ => Err(wrong_state(task)),
    }
}

/// Who wants to start an attempt, and on what knowledge.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// The attempt number that the hint was made for.
    pub expected_attempt: u64,
    /// Whose pool will run it.
    pub session: SessionId,
    /// Unguessable half of the fence.
    pub token: Option<Token>,
    /// Numbers to leave out: 1 when a start before could be unrecorded, else 0.
    pub gap: u64,
}

/// T3, and T11 when the task should have been started before now.
pub fn claim(task: &mut Task, by: &Claim, now: Timestamp) -> Result<Ended, Rejected> {
    let State::Queued { place } = task.state else {
        return Err(wrong_state(task));
    };
    if task.attempt != by.expected_attempt {
        return Err(Rejected::Stale);
    }
    if is_expired(task, now) {
        return expire(task, now);
    }
    task.attempt += 1 + by.gap;
    task.started_at = Some(now);
    task.last_token = None;
    let deadline_at = now + task.spec.timeout();
    let lease = Lease {
        session: by.session,
        token: by.token,
        deadline_at,
        place,
    };
    enter(task, State::Running(lease));
    Ok(None)
}

/// T4, T5, T6, T9 and the answer to T10: the holder of the lease says how the attempt ended.
pub fn settle(
    task: &mut Task,
    fence: Fence,
    ending: &Ending,
    jitter: Jitter,
    now: Timestamp,
) -> Result<Ended, Rejected> {
    let lease = held_under(task, fence)?;
    task.last_token = lease.token;
    match ending {
        Ending::Succeeded(result) => {
            task.result = Some(result.clone());
            task.failure = None;
            finish(task, State::Succeeded, now);
            Ok(None)
        }
        Ending::Cancelled => {
            let ended = ended(task, AttemptOutcome::Cancelled, None, now);
            finish(task, State::Cancelled(Reason::Requested), now);
            Ok(ended)
        }
        Ending::Released => Ok(give_back(task, lease, now)),
        Ending::Failed {
            failure,
            retryable,
            retry_after,
        } => {
            let ended = ended(task, AttemptOutcome::Failed, Some(failure), now);
            task.charged += 1;
            task.failure = Some(Arc::clone(failure));
            if *retryable {
                retry(task, *retry_after, jitter, now, Reason::AttemptsExhausted);
            } else {
                end_unless_cancelled(task, Reason::Rejected, now);
            }
            Ok(ended)
        }
    }
}

/// Whether this claim was decided before: the same claim, sent twice. Only a token tells: two
/// claims of one pool without tokens may come from two copies of one hint.
pub fn is_claimed_by(task: &Task, by: &Claim) -> bool {
    let open = task.lease().and_then(|lease| lease.token);
    let is_expired = matches!(task.state, State::Cancelled(Reason::Expired));
    let is_same = by.token.is_some() && (open == by.token || task.last_token == by.token);
    (is_same && task.attempt > by.expected_attempt)
        || (is_expired && task.attempt == by.expected_attempt)
}

/// Whether this settlement was recorded before: the same completion, sent twice. Without a
/// token nobody sends twice, so a late settlement of a lost attempt is never taken for one.
pub fn is_settled_by(task: &Task, fence: Fence) -> bool {
    let is_over = task.lease().is_none() && task.attempt == fence.attempt;
    is_over && fence.token.is_some() && task.last_token == fence.token
}

/// Whether this attempt was ended before by T8.
pub fn is_ended_as_overdue(task: &Task, attempt: u64) -> bool {
    let is_over = task.lease().is_none() && task.attempt == attempt && task.started_at.is_some();
    let ran_over = task
        .failure
        .as_ref()
        .is_some_and(|failure| failure.cause == Cause::Timeout);
    is_over && (ran_over || matches!(task.state, State::Cancelled(Reason::Requested)))
}

/// An executor that is gone, and what is known of the attempts that it held.
#[derive(Clone, Copy, Debug)]
pub struct Lost<'a> {
    /// Its session.
    pub session: SessionId,
    /// Whether it can have begun the attempt.
    pub was_started: bool,
    /// What people call it, when that is known.
    pub worker: Option<&'a str>,
}

/// T7. The executor of the attempt is gone. An attempt that it cannot have begun, since its claim
/// never reached a thread, goes back as if released.
pub fn lose(
    task: &mut Task,
    lost: Lost<'_>,
    jitter: Jitter,
    now: Timestamp,
) -> Result<Ended, Rejected> {
    let lease = match task.state {
        State::Running(lease) if lease.session == lost.session => lease,
        _ => return Err(wrong_state(task)),
    };
    if !lost.was_started {
        return Ok(give_back(task, lease, now));
    }
    let failure = Arc::new(Failure {
        cause: Cause::Crash,
        name: None,
        message: format!("the executor of attempt {} was lost", task.attempt),
        backtrace: None,
        ran_by: lost.worker.map(|worker| RanBy {
            worker: worker.to_owned(),
            thread: None,
        }),
        process_end: None,
    });
    let ended = ended(task, AttemptOutcome::Lost, Some(&failure), now);
    task.crashes += 1;
    task.failure = Some(failure);
    if task.cancel_requested {
        finish(task, State::Cancelled(Reason::Requested), now);
    } else if task.crashes >= MAX_CRASHES {
        finish(task, State::Failed(Reason::Poison), now);
    } else {
        enter(
            task,
            State::Scheduled {
                due_at: now + jitter.of(RECLAIM_DELAY_MAX),
            },
        );
    }
    Ok(ended)
}

/// T8. The attempt is over its limit, or did not heed a cancel request in time.
pub fn overdue(
    task: &mut Task,
    attempt: u64,
    ran_by: Option<&RanBy>,
    jitter: Jitter,
    now: Timestamp,
) -> Result<Ended, Rejected> {
    if task.lease().is_none() || task.attempt != attempt {
        return Err(Rejected::Stale);
    }
    if task.cancel_requested {
        let ended = ended(task, AttemptOutcome::Cancelled, None, now);
        finish(task, State::Cancelled(Reason::Requested), now);
        return Ok(ended);
    }
    let failure = Arc::new(Failure {
        cause: Cause::Timeout,
        name: None,
        message: format!(
            "the attempt took longer than {} ms",
            task.spec.timeout().as_millis()
        ),
        backtrace: None,
        ran_by: ran_by.cloned(),
        process_end: None,
    });
    let ended = ended(task, AttemptOutcome::TimedOut, Some(&failure), now);
    task.charged += 1;
    task.failure = Some(failure);
    retry(task, None, jitter, now, Reason::Timeout);
    Ok(ended)
}

/// T10. A waiting task ends as cancelled; a running one is asked to stop.
pub fn cancel(task: &mut Task, now: Timestamp) -> Result<Ended, Rejected> {
    match task.state {
        State::Scheduled { .. } | State::Queued { .. } => {
            finish(task, State::Cancelled(Reason::Requested), now);
            Ok(None)
        }
        State::Running(_) => {
            task.cancel_requested = true;
            task.version += 1;
            Ok(None)
        }
        _ => Err(wrong_state(task)),
    }
}

/// T11. A waiting task was not started in time.
pub fn expire(task: &mut Task, now: Timestamp) -> Result<Ended, Rejected> {
    let waiting = matches!(task.state, State::Scheduled { .. } | State::Queued { .. });
    if !waiting || !is_expired(task, now) {
        return Err(wrong_state(task));
    }
    finish(task, State::Cancelled(Reason::Expired), now);
    Ok(None)
}

/// T12. Back in line by hand: the counters start again, the attempt number goes on.
pub fn requeue(task: &mut Task, place: Place) -> Result<Ended, Rejected> {
    if !matches!(task.state, State::Failed(_) | State::Cancelled(_)) {
        return Err(wrong_state(task));
    }
    task.charged = 0;
    task.crashes = 0;
    task.cancel_requested = false;
    task.finished_at = None;
    task.result = None;
    task.failure = None;
    enter(task, State::Queued { place });
    Ok(None)
}

/// T13. Whether the task may be removed at `now` because its retention is over.
pub fn may_prune(task: &Task, now: Timestamp) -> bool {
    task.state.is_terminal() && task.prune_at().is_some_and(|at| at <= now)
}

/// T14. Whether an operator may remove it: only when it has ended.
pub fn delete(task: &Task) -> Result<(), Rejected> {
    if task.state.is_terminal() {
        Ok(())
    } else {
        Err(wrong_state(task))
    }
}

/// Whether the task should have been started before `now`.
pub fn is_expired(task: &Task, now: Timestamp) -> bool {
    task.spec.options().expires_at.is_some_and(|at| at <= now)
}

fn held_under(task: &Task, fence: Fence) -> Result<Lease, Rejected> {
    match task.state {
        State::Running(lease) if task.attempt == fence.attempt && lease.token == fence.token => {
            Ok(lease)
        }
        _ => Err(Rejected::Stale),
    }
}

fn retry(task: &mut Task, after: Option<Duration>, jitter: Jitter, now: Timestamp, last: Reason) {
    let policy = task.spec.retry();
    if task.charged >= policy.max_attempts {
        return end_unless_cancelled(task, last, now);
    }
    if task.cancel_requested {
        return finish(task, State::Cancelled(Reason::Requested), now);
    }
    let delay = after.unwrap_or_else(|| policy.backoff.delay(task.charged, jitter));
    enter(
        task,
        State::Scheduled {
            due_at: now + delay,
        },
    );
}

fn end_unless_cancelled(task: &mut Task, reason: Reason, now: Timestamp) {
    let state = match task.cancel_requested {
        true => State::Cancelled(Reason::Requested),
        false => State::Failed(reason),
    };
    finish(task, state, now);
}

fn give_back(task: &mut Task, lease: Lease, now: Timestamp) -> Ended {
    // Whoever gives back what was to be cancelled has stopped it: a remote worker says it so.
    if task.cancel_requested {
        let ended = ended(task, AttemptOutcome::Cancelled, None, now);
        finish(task, State::Cancelled(Reason::Requested), now);
        return ended;
    }
    let ended = ended(task, AttemptOutcome::Released, None, now);
    enter(task, State::Queued { place: lease.place });
    ended
}

fn enter(task: &mut Task, state: State) {
    task.state = state;
    task.version += 1;
}

fn finish(task: &mut Task, state: State, now: Timestamp) {
    task.finished_at = Some(task.started_at.map_or(now, |started| started.max(now)));
    enter(task, state);
}

fn ended(
    task: &Task,
    outcome: AttemptOutcome,
    failure: Option<&Arc<Failure>>,
    now: Timestamp,
) -> Ended {
    Some(Attempt {
        attempt: task.attempt,
        started_at: task.started_at,
        ended_at: task.started_at.map_or(now, |started| started.max(now)),
        outcome,
        failure: failure.cloned(),
    })
}

fn wrong_state(task: &Task) -> Rejected {
    Rejected::WrongState {
        phase: task.phase(),
    }
}
