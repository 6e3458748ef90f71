//! Who may run a task, who may settle it, and what is kept of attempts.

use std::sync::Arc;

use tareas_core::limits::MAX_ATTEMPTS_DEFAULT;
use tareas_core::{
    AttemptOutcome, Command, Ending, Fence, Jitter, Outcome, Phase, Reason, Rejected, SessionId,
    Sweep, Task, Token,
};

use super::given::{
    NOW, accepted, all_durable, attempts, cancel, claim, delete, done, failed, failure, id, later,
    line, load, one, refused, requeue, settle, started, submit, success, text,
};
use super::{FreshRecords, Store};

/// Claims from everywhere, one start.
pub async fn one_of_eight_claims_wins(fresh: &FreshRecords) {
    let store = fresh.open().await;
    for number in 1..=20 {
        accepted(&*store, number).await;
        let claims = (1..=8).map(|claimer| {
            let store = Arc::clone(&store);
            let token = Some(Token::new(claimer));
            let session = SessionId(claimer as u64);
            let claim = Command::Claim {
                task: id(number),
                expected_attempt: 0,
                session,
                token,
            };
            tokio::spawn(async move { one(&*store, claim).await })
        });
        let mut winners = 0;
        for claim in claims.collect::<Vec<_>>() {
            winners += u32::from(matches!(claim.await.unwrap(), Outcome::Done(_)));
        }
        assert_eq!(winners, 1, "of task {number}");
    }
}

/// A hint that was made for another attempt starts nothing.
pub async fn a_claim_that_is_out_of_date_is_refused(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let running = started(&*store, 1).await;
    let other = Command::Claim {
        task: id(1),
        expected_attempt: 1,
        session: SessionId(8),
        token: Some(Token::new(8)),
    };
    let phase = Phase::Running;
    assert_eq!(
        refused(&*store, other).await,
        Rejected::WrongState { phase }
    );
    done(&*store, settle(&running, Ending::Released)).await;
    let late = Command::Claim {
        task: id(1),
        expected_attempt: 0,
        session: SessionId(8),
        token: Some(Token::new(8)),
    };
    all_durable(&*store).await;
    assert_eq!(refused(&*store, late).await, Rejected::Stale);
    assert_eq!(done(&*store, claim(id(1), 1)).await.attempt, 2);
}

/// The number alone is not enough, nor is the token.
pub async fn both_halves_of_the_fence_are_needed(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let running = started(&*store, 1).await;
    let token = running.lease().unwrap().token;
    let wrong = [(1, None), (1, Some(Token::new(1))), (2, token), (0, token)];
    for (attempt, token) in wrong {
        let fence = Fence { attempt, token };
        let settle = Command::Settle {
            task: id(1),
            fence,
            ending: success(),
            jitter: Jitter(0),
        };
        assert_eq!(refused(&*store, settle).await, Rejected::Stale, "{fence:?}");
    }
    assert_eq!(load(&*store, id(1)).await, Some(running));
}

/// A completion may be sent again; another one for a finished task is stale.
pub async fn a_completion_is_recorded_once(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let running = started(&*store, 1).await;
    let finished = done(&*store, settle(&running, success())).await;
    for _ in 0..2 {
        let again = one(&*store, settle(&running, success())).await;
        assert!(matches!(again, Outcome::Already(task) if task == finished));
        let stranger = Fence {
            attempt: 1,
            token: Some(Token::new(1)),
        };
        let other = Command::Settle {
            task: id(1),
            fence: stranger,
            ending: Ending::Succeeded(text("26")),
            jitter: Jitter(0),
        };
        assert_eq!(refused(&*store, other).await, Rejected::Stale);
        all_durable(&*store).await;
    }
    assert_eq!(load(&*store, id(1)).await.unwrap().result, Some(text("25")));
}

/// T5 until no retry is left, then T6.
pub async fn a_failed_task_is_tried_again_and_then_fails(fresh: &FreshRecords) {
    let store = fresh.open().await;
    accepted(&*store, 1).await;
    let mut task = load(&*store, id(1)).await.unwrap();
    for number in 1..=MAX_ATTEMPTS_DEFAULT {
        if task.phase() == Phase::Scheduled {
            store.sweep(Sweep::Due, later(1), 9).await.unwrap();
        }
        let running = done(&*store, claim(id(1), task.attempt)).await;
        assert_eq!(running.attempt, u64::from(number));
        task = done(&*store, settle(&running, failed("no", true))).await;
        assert_eq!(task.failure, Some(failure("no")));
    }
    assert_eq!(task.reason(), Some(Reason::AttemptsExhausted));
    assert_eq!((task.attempt, task.charged, task.crashes), (5, 5, 0));
}

/// T10 on a running task is a request; whoever runs it answers.
pub async fn a_task_that_runs_is_asked_to_stop(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let running = started(&*store, 1).await;
    assert!(done(&*store, cancel(id(1))).await.cancel_requested);
    all_durable(&*store).await;
    assert!(load(&*store, id(1)).await.unwrap().cancel_requested);
    let task = done(&*store, settle(&running, Ending::Cancelled)).await;
    assert_eq!(
        (task.phase(), task.reason()),
        (Phase::Cancelled, Some(Reason::Requested))
    );
}

/// One task that has ended, in each way.
async fn ended(store: &dyn Store, number: u128) -> Task {
    match number {
        1 => {
            let running = started(store, 1).await;
            done(store, settle(&running, success())).await
        }
        2 => {
            let running = started(store, 2).await;
            done(store, settle(&running, failed("no", false))).await
        }
        _ => {
            accepted(store, number).await;
            done(store, cancel(id(number))).await
        }
    }
}

/// Nothing else writes a row that has ended (I4), neither in memory nor on disk.
pub async fn a_finished_task_changes_by_requeue_and_removal_only(fresh: &FreshRecords) {
    let store = fresh.open().await;
    for number in 1..=3 {
        let task = ended(&*store, number).await;
        for _ in 0..2 {
            let stranger = Fence {
                attempt: task.attempt,
                token: Some(Token::new(9)),
            };
            let (id, jitter, attempt) = (task.id(), Jitter(0), task.attempt + 1);
            let ending = success();
            for command in [
                claim(id, task.attempt),
                Command::Settle {
                    task: id,
                    fence: stranger,
                    ending,
                    jitter,
                },
                Command::Overdue {
                    task: id,
                    attempt,
                    jitter,
                    ran_by: None,
                },
                cancel(id),
            ] {
                let outcome = one(&*store, command).await;
                assert!(!matches!(outcome, Outcome::Done(_)), "{outcome:?}");
            }
            for sweep in [Sweep::Due, Sweep::Expired, Sweep::Prune] {
                store.sweep(sweep, later(60), 99).await.unwrap();
            }
            assert_eq!(load(&*store, id).await.as_ref(), Some(&task));
            all_durable(&*store).await;
        }
    }
    let phase = Phase::Succeeded;
    assert_eq!(
        refused(&*store, requeue(id(1))).await,
        Rejected::WrongState { phase }
    );
    for number in 2..=3 {
        assert_eq!(
            done(&*store, requeue(id(number))).await.phase(),
            Phase::Queued
        );
    }
}

/// T12: counters start again, the attempt number goes on.
pub async fn a_requeue_keeps_the_attempt_number(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let failed = ended(&*store, 2).await;
    assert_eq!((failed.attempt, failed.charged), (1, 1));
    all_durable(&*store).await;
    let queued = done(&*store, requeue(id(2))).await;
    assert_eq!(
        (queued.attempt, queued.charged, queued.failure),
        (1, 0, None)
    );
    assert_eq!(done(&*store, claim(id(2), 1)).await.attempt, 2);
}

/// Endings without success, oldest first, also when several fell between two commits.
pub async fn attempts_that_did_not_succeed_are_kept_in_order(fresh: &FreshRecords) {
    let store = fresh.open().await;
    accepted(&*store, 1).await;
    let endings = [
        (failed("first", true), AttemptOutcome::Failed),
        (Ending::Released, AttemptOutcome::Released),
        (failed("third", true), AttemptOutcome::Failed),
        (success(), AttemptOutcome::Succeeded),
    ];
    for (attempt, (ending, _)) in (0..).zip(&endings) {
        store.sweep(Sweep::Due, later(1), 9).await.unwrap();
        let running = done(&*store, claim(id(1), attempt)).await;
        done(&*store, settle(&running, ending.clone())).await;
    }
    all_durable(&*store).await;
    let kept = attempts(&*store, id(1)).await;
    let told: Vec<_> = kept
        .iter()
        .map(|kept| (kept.attempt, kept.outcome))
        .collect();
    let expected: Vec<_> = (1..)
        .zip(endings[..3].iter().map(|(_, outcome)| *outcome))
        .collect();
    assert_eq!(told, expected);
    assert_eq!(kept[0].failure, Some(failure("first")));
    assert_eq!(
        (kept[0].started_at, kept[1].failure.clone()),
        (Some(NOW), None)
    );
    assert_eq!(attempts(&*store, id(2)).await, []);
}

/// T14 takes a task from every view, before it is on disk and after.
pub async fn a_deleted_task_is_gone_at_once(fresh: &FreshRecords) {
    let store = fresh.open().await;
    accepted(&*store, 4).await;
    let phase = Phase::Queued;
    assert_eq!(
        refused(&*store, delete(id(4))).await,
        Rejected::WrongState { phase }
    );
    for is_on_disk in [false, true] {
        ended(&*store, 2).await;
        if is_on_disk {
            all_durable(&*store).await;
        }
        done(&*store, delete(id(2))).await;
        assert_eq!(load(&*store, id(2)).await, None);
        assert_eq!(refused(&*store, delete(id(2))).await, Rejected::NotFound);
        assert_eq!(refused(&*store, requeue(id(2))).await, Rejected::NotFound);
        assert_eq!(line(&*store).await, [id(4)]);
        all_durable(&*store).await;
        assert_eq!(load(&*store, id(2)).await, None);
        assert_eq!(attempts(&*store, id(2)).await, []);
    }
}

/// No command makes a task but a submission.
pub async fn what_does_not_exist_is_not_found(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let (task, jitter) = (id(1), Jitter(0));
    let fence = Fence {
        attempt: 1,
        token: None,
    };
    for command in [
        claim(task, 0),
        Command::Settle {
            task,
            fence,
            ending: success(),
            jitter,
        },
        Command::Overdue {
            task,
            attempt: 1,
            jitter,
            ran_by: None,
        },
        cancel(task),
        requeue(task),
        delete(task),
    ] {
        assert_eq!(refused(&*store, command).await, Rejected::NotFound);
    }
    assert_eq!(load(&*store, task).await, None);
    assert!(matches!(
        one(&*store, submit(super::given::spec(1))).await,
        Outcome::Done(_)
    ));
}
