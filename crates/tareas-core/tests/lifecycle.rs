//! The edges of each transition, in cases.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod given;

use std::time::Duration;

use given::{
    NOW, SESSION, claim_by, claimed, failed, fence, later, queued, result, retryable, running,
    settled, with_options,
};
use tareas_core::lifecycle::{self, Claim, Lost};
use tareas_core::limits::{MAX_ATTEMPTS_DEFAULT, MAX_CRASHES};
use tareas_core::{
    AttemptOutcome, Cause, Ending, Fence, Jitter, Options, Phase, Place, RanBy, Reason, Rejected,
    SessionId, State, Task, Timestamp, Token,
};

fn counters(task: &Task) -> (u64, u32, u32) {
    (task.attempt, task.charged, task.crashes)
}

fn lost(mut task: Task, was_started: bool) -> Task {
    let lost = Lost {
        session: SESSION,
        was_started,
        worker: Some("w1"),
    };
    lifecycle::lose(&mut task, lost, Jitter(u32::MAX), later(1)).unwrap();
    task
}

fn overdue(mut task: Task) -> Task {
    let attempt = task.attempt;
    let by = RanBy {
        worker: "w1".to_owned(),
        thread: Some(2),
    };
    lifecycle::overdue(&mut task, attempt, Some(&by), Jitter(0), later(1)).unwrap();
    task
}

fn asked_to_stop(mut task: Task) -> Task {
    lifecycle::cancel(&mut task, NOW).unwrap();
    task
}

fn due_at(task: &Task) -> Timestamp {
    match task.state {
        State::Scheduled { due_at } => due_at,
        other => panic!("{other:?} has no due time"),
    }
}

/// Claims the task again, after whatever it waits for.
fn started_again(mut task: Task) -> Task {
    if let State::Scheduled { due_at } = task.state {
        lifecycle::due(&mut task, due_at, Place(99)).unwrap();
    }
    claimed(task)
}

#[test]
fn each_counter_counts_its_own_kind_of_ending() {
    let cases = [
        (
            "success",
            settled(running(1), Ending::Succeeded(result("1"))),
            (1, 0, 0),
        ),
        (
            "failure to retry",
            settled(running(1), retryable()),
            (1, 1, 0),
        ),
        ("failure for good", settled(running(1), failed()), (1, 1, 0)),
        ("time-out", overdue(running(1)), (1, 1, 0)),
        ("loss", lost(running(1), true), (1, 0, 1)),
        ("loss before the start", lost(running(1), false), (1, 0, 0)),
        ("release", settled(running(1), Ending::Released), (1, 0, 0)),
        (
            "cancelled by its handler",
            settled(running(1), Ending::Cancelled),
            (1, 0, 0),
        ),
    ];
    for (name, task, expected) in cases {
        assert_eq!(counters(&task), expected, "{name}");
    }
}

#[test]
fn a_claim_needs_the_expected_attempt() {
    let mut task = settled(running(1), Ending::Released);
    let old = Claim {
        expected_attempt: 0,
        ..claim_by(&task)
    };
    assert_eq!(lifecycle::claim(&mut task, &old, NOW), Err(Rejected::Stale));
    assert_eq!(started_again(task).attempt, 2);
}

#[test]
fn a_claim_after_an_unclean_start_leaves_a_number_out() {
    let mut task = queued(1);
    let claim = Claim {
        gap: 1,
        ..claim_by(&task)
    };
    lifecycle::claim(&mut task, &claim, NOW).unwrap();
    assert_eq!(task.attempt, 2);
}

#[test]
fn a_claim_of_an_expired_task_ends_it() {
    let options = Options {
        expires_at: Some(later(5)),
        ..Options::default()
    };
    for (now, phase) in [(later(4), Phase::Running), (later(5), Phase::Cancelled)] {
        let mut task = lifecycle::submit(&with_options(1, options.clone()), NOW, Place(1));
        let claim = claim_by(&task);
        lifecycle::claim(&mut task, &claim, now).unwrap();
        assert_eq!(task.phase(), phase);
        let is_ended = phase == Phase::Cancelled;
        assert_eq!(task.reason() == Some(Reason::Expired), is_ended);
        assert_eq!(
            task.attempt,
            u64::from(!is_ended),
            "what ends here was never started"
        );
    }
}

#[test]
fn a_lease_ends_when_its_time_limit_does() {
    let options = Options {
        timeout: Some(Duration::from_secs(3)),
        ..Options::default()
    };
    let task = claimed(lifecycle::submit(&with_options(1, options), NOW, Place(1)));
    assert_eq!(task.lease().unwrap().deadline_at, later(3));
}

#[test]
fn both_halves_of_the_fence_are_needed() {
    let right = fence(&running(1));
    let wrong = [
        Fence {
            attempt: 2,
            ..right
        },
        Fence {
            attempt: 0,
            ..right
        },
        Fence {
            token: Some(Token::new(43)),
            ..right
        },
        Fence {
            token: None,
            ..right
        },
    ];
    for fence in wrong {
        let mut task = running(1);
        let settled = lifecycle::settle(&mut task, fence, &Ending::Released, Jitter(0), NOW);
        assert_eq!(settled, Err(Rejected::Stale), "{fence:?}");
        assert_eq!(task, running(1), "a refusal changes nothing");
    }
}

#[test]
fn a_task_fails_when_its_attempts_are_used_up() {
    let mut task = running(1);
    for failures in 1..MAX_ATTEMPTS_DEFAULT {
        task = settled(task, retryable());
        assert_eq!((task.phase(), task.charged), (Phase::Scheduled, failures));
        task = started_again(task);
    }
    let task = settled(task, retryable());
    assert_eq!(task.reason(), Some(Reason::AttemptsExhausted));
    assert_eq!(counters(&task), (5, 5, 0));
}

#[test]
fn the_last_time_out_is_the_reason() {
    let mut task = Task {
        charged: MAX_ATTEMPTS_DEFAULT - 1,
        ..running(1)
    };
    task = overdue(task);
    assert_eq!(task.reason(), Some(Reason::Timeout));
    assert_eq!(task.failure.unwrap().cause, Cause::Timeout);
}

#[test]
fn a_task_is_poison_after_three_crashes() {
    let mut task = running(1);
    for crashes in 1..MAX_CRASHES {
        task = lost(task, true);
        assert_eq!((task.phase(), task.crashes), (Phase::Scheduled, crashes));
        assert!(due_at(&task) <= later(1) + Duration::from_millis(500));
        task = started_again(task);
    }
    let task = lost(task, true);
    assert_eq!(task.reason(), Some(Reason::Poison));
    assert_eq!(counters(&task), (3, 0, 3));
}

#[test]
fn who_ran_it_is_told_of_attempts_that_nobody_ended() {
    let by = |task: Task| {
        let by = task.failure.as_ref().unwrap().ran_by.clone().unwrap();
        (by.worker, by.thread)
    };
    assert_eq!(by(lost(running(3), true)), ("w1".to_owned(), None));
    assert_eq!(by(overdue(running(3))), ("w1".to_owned(), Some(2)));
}

#[test]
fn only_the_session_that_holds_a_task_can_lose_it() {
    let mut task = running(1);
    let other = Lost {
        session: SessionId(8),
        was_started: true,
        worker: None,
    };
    let lost = lifecycle::lose(&mut task, other, Jitter(0), NOW);
    assert_eq!(
        lost,
        Err(Rejected::WrongState {
            phase: Phase::Running
        })
    );
    assert_eq!(task, running(1));
}

#[test]
fn the_handler_may_say_when_to_try_again() {
    let after = |seconds| Ending::Failed {
        failure: given::failure(),
        retryable: true,
        retry_after: Some(Duration::from_secs(seconds)),
    };
    assert_eq!(due_at(&settled(running(1), after(90))), later(91));
    let longest = due_at(&settled(running(1), after(u64::MAX)));
    assert_eq!(
        longest,
        Timestamp::from_micros(i64::MAX),
        "and may not overflow the clock"
    );
    let by_back_off = due_at(&settled(running(1), retryable()));
    assert!(
        by_back_off > later(1) && by_back_off < later(2),
        "{by_back_off:?}"
    );
}

#[test]
fn a_released_task_returns_to_its_place() {
    let task = settled(running(1), Ending::Released);
    assert_eq!(task.place(), queued(1).place());
    let task = lost(started_again(task), false);
    assert_eq!(task.place(), queued(1).place());
}

#[test]
fn a_task_that_was_asked_to_stop_ends_however_its_attempt_does() {
    let asked = || asked_to_stop(running(1));
    let cases = [
        ("heeds it", settled(asked(), Ending::Cancelled)),
        ("fails", settled(asked(), retryable())),
        ("fails for good", settled(asked(), failed())),
        ("is released", settled(asked(), Ending::Released)),
        ("is lost", lost(asked(), true)),
        ("is lost before its start", lost(asked(), false)),
        ("does not heed it in time", overdue(asked())),
    ];
    for (name, task) in cases {
        assert_eq!(task.reason(), Some(Reason::Requested), "{name}");
        assert_eq!(task.phase(), Phase::Cancelled, "{name}");
    }
    let done = settled(asked(), Ending::Succeeded(result("1")));
    assert_eq!(done.phase(), Phase::Succeeded, "it may still succeed");
}

#[test]
fn a_requeue_keeps_the_attempt_number_and_nothing_else() {
    let mut task = settled(running(1), failed());
    task.crashes = 2;
    lifecycle::requeue(&mut task, Place(77)).unwrap();
    assert_eq!(counters(&task), (1, 0, 0));
    assert_eq!(task.place(), Some(Place(77)));
    let rest = (
        &task.failure,
        &task.result,
        task.finished_at,
        task.cancel_requested,
    );
    assert_eq!(rest, (&None, &None, None, false));
    assert_eq!(claimed(task).attempt, 2);
}

#[test]
fn a_failure_is_forgotten_by_a_later_success() {
    let task = started_again(settled(running(1), retryable()));
    assert!(
        task.failure.is_some(),
        "it is kept while the task is tried again"
    );
    assert_eq!(settled(task, Ending::Succeeded(result("1"))).failure, None);
}

#[test]
fn nothing_ends_before_it_began_even_when_the_clock_is_set_back() {
    let before = NOW - Duration::from_secs(3600);
    for ending in [Ending::Succeeded(result("1")), failed(), Ending::Cancelled] {
        let mut task = running(1);
        let fence = fence(&task);
        let attempt = lifecycle::settle(&mut task, fence, &ending, Jitter(0), before).unwrap();
        assert!(task.finished_at >= task.started_at);
        assert!(attempt.is_none_or(|attempt| Some(attempt.ended_at) >= attempt.started_at));
    }
}

#[test]
fn every_ending_but_a_success_leaves_a_record() {
    let outcome_of = |ending: Ending| {
        let mut task = running(1);
        let fence = fence(&task);
        let ended = lifecycle::settle(&mut task, fence, &ending, Jitter(0), later(1)).unwrap();
        ended.map(|attempt| (attempt.attempt, attempt.outcome))
    };
    assert_eq!(outcome_of(Ending::Succeeded(result("1"))), None);
    assert_eq!(outcome_of(retryable()), Some((1, AttemptOutcome::Failed)));
    assert_eq!(
        outcome_of(Ending::Released),
        Some((1, AttemptOutcome::Released))
    );
    assert_eq!(
        outcome_of(Ending::Cancelled),
        Some((1, AttemptOutcome::Cancelled))
    );
}

#[test]
fn an_attempt_that_is_given_back_because_of_a_cancel_was_cancelled() {
    let mut task = asked_to_stop(running(1));
    let fence = fence(&task);
    let ended = lifecycle::settle(&mut task, fence, &Ending::Released, Jitter(0), later(1));
    let outcome = ended.unwrap().map(|attempt| attempt.outcome);
    assert_eq!(outcome, Some(AttemptOutcome::Cancelled));
}

#[test]
fn a_completion_sent_twice_is_recognised_but_a_late_one_is_not() {
    let holder = fence(&running(1));
    let is_recognised = |task: &Task| lifecycle::is_settled_by(task, holder);
    assert!(is_recognised(&settled(
        running(1),
        Ending::Succeeded(result("1"))
    )));
    assert!(is_recognised(&settled(running(1), retryable())));
    assert!(!is_recognised(&running(1)), "it is still open");
    assert!(!is_recognised(&lost(running(1), true)), "it was taken away");
    assert!(!is_recognised(&overdue(running(1))), "it was taken away");
    assert!(
        !is_recognised(&started_again(settled(running(1), retryable()))),
        "another one runs"
    );
}

#[test]
fn a_version_is_raised_by_one_at_each_transition() {
    let mut task = queued(1);
    assert_eq!(task.version, 1);
    task = claimed(task);
    assert_eq!(task.version, 2);
    task = asked_to_stop(task);
    assert_eq!(task.version, 3);
    assert_eq!(settled(task, Ending::Cancelled).version, 4);
}
