//! Scenarios: the engine over memory, with a clock that tests advance and a pool that tests play.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod ahead;
mod lost_hints;
mod members;
mod orphans;
mod remote;
mod worker;
mod world;

use std::time::Duration;

use bytes::Bytes;
use tareas_core::task::Options;
use tareas_core::{Actor, Backoff, Body, Phase, Reason, Rejected, RetryPolicy, TaskId};
use tareas_engine::services::{self, Supervisor, Timer};
use tareas_engine::{Due, Refusal, Submission, Waited, WhyCode};
use world::{World, failure, kind, succeeded};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_submits_a_task_is_told_of_its_end() {
    let world = World::new();
    let id = world.submit(world.square(7)).await.unwrap();
    let claimed = world.take_one();
    assert_eq!((claimed.task.id(), &claimed.payload[..]), (id, &b"7"[..]));
    world.settle(&claimed, Some(succeeded("49")));
    let ends = world.heard();
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0].task.phase(), Phase::Succeeded);
    assert_eq!(
        ends[0].task.result,
        Some(Body::Inline(Bytes::from_static(b"49")))
    );
    assert_eq!(world.engine.watched(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_acknowledgement_is_queued_before_the_task_can_start() {
    let world = World::new();
    let mut was_told_in_time = false;
    let submission = world.square(1);
    world
        .engine
        .submit(vec![submission], None, |_| {
            was_told_in_time = world.nothing_to_take()
        })
        .await;
    assert!(was_told_in_time);
    world.take_one();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_attempt_is_tried_again_after_its_delay() {
    let world = World::new();
    let id = world.submit(world.square(1)).await.unwrap();
    world.settle(&world.take_one(), Some(failure("no luck", true)));
    let task = world.task(id).await;
    assert_eq!(
        (task.phase(), task.attempt, task.charged),
        (Phase::Scheduled, 1, 1)
    );
    assert_eq!(
        world.engine.why(&task).await.unwrap().code,
        WhyCode::RetryBackoff
    );
    assert!(world.heard().is_empty(), "a retry is not an end");

    world.clock.advance(Duration::from_secs(2));
    Timer::new(world.engine.clone())
        .pass(world.engine.now())
        .await;
    let again = world.take_one();
    assert_eq!((again.task.id(), again.task.attempt), (id, 2));
    world.settle(&again, Some(succeeded("1")));
    assert_eq!(world.heard().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_used_up_and_then_it_has_failed() {
    let world = World::new();
    let backoff = Backoff {
        initial: Duration::ZERO,
        max: Duration::ZERO,
        factor: 1.0,
    };
    let retry = Some(RetryPolicy {
        max_attempts: 2,
        backoff,
    });
    let options = Some(Box::new(Options {
        retry,
        ..Options::default()
    }));
    let id = world
        .submit(Submission {
            options,
            ..world.square(1)
        })
        .await
        .unwrap();
    for _ in 0..2 {
        world.settle(&world.take_one(), Some(failure("no luck", true)));
        Timer::new(world.engine.clone())
            .pass(world.engine.now())
            .await;
    }
    assert_eq!(
        world.task(id).await.reason(),
        Some(Reason::AttemptsExhausted)
    );
    let attempts = world.engine.attempts(id).await.unwrap();
    assert_eq!(
        attempts.iter().map(|a| a.attempt).collect::<Vec<_>>(),
        [1, 2]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_task_is_cancelled_at_once_and_never_starts() {
    let world = World::new();
    let id = world.submit(world.square(1)).await.unwrap();
    let (task, _) = world.engine.cancel(id, Actor::System).await.unwrap();
    assert_eq!(task.reason(), Some(Reason::Requested));
    assert_eq!(world.heard().len(), 1);
    assert!(world.nothing_starts());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_task_is_asked_to_stop_and_given_up_on_after_the_grace() {
    let world = World::new();
    let id = world.submit(world.square(1)).await.unwrap();
    let claimed = world.take_one();
    let (task, _) = world.engine.cancel(id, Actor::System).await.unwrap();
    assert!(task.cancel_requested && task.phase() == Phase::Running);
    assert_eq!(world.asked_to_stop(), [(id, 1)]);

    world.clock.advance(Duration::from_secs(31));
    Timer::new(world.engine.clone())
        .pass(world.engine.now())
        .await;
    assert_eq!(world.task(id).await.reason(), Some(Reason::Requested));
    // The handler comes back late: what it brings is refused.
    world.settle(&claimed, Some(succeeded("1")));
    assert_eq!(world.task(id).await.phase(), Phase::Cancelled);
    assert_eq!(world.heard().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_was_not_started_in_time_expires() {
    let world = World::new();
    let expires_at = Some(world.engine.now() + Duration::from_secs(5));
    let options = Some(Box::new(Options {
        expires_at,
        ..Options::default()
    }));
    let id = world
        .submit(Submission {
            options,
            ..world.square(1)
        })
        .await
        .unwrap();
    world.clock.advance(Duration::from_secs(6));
    Timer::new(world.engine.clone())
        .pass(world.engine.now())
        .await;
    assert_eq!(world.task(id).await.reason(), Some(Reason::Expired));
    assert_eq!(world.heard().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_the_future_waits_for_its_time() {
    let world = World::new();
    let due = Due::After(Duration::from_secs(60));
    let id = world
        .submit(Submission {
            due,
            ..world.square(1)
        })
        .await
        .unwrap();
    Timer::new(world.engine.clone())
        .pass(world.engine.now())
        .await;
    assert_eq!(world.task(id).await.phase(), Phase::Scheduled);
    world.clock.advance(Duration::from_secs(61));
    Timer::new(world.engine.clone())
        .pass(world.engine.now())
        .await;
    assert_eq!(world.take_one().task.id(), id);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_identity_is_the_same_task_even_after_its_end() {
    let world = World::new();
    let id = TaskId::v7(world.engine.now(), 42);
    let submission = || Submission {
        id: Some(id),
        ..world.square(3)
    };
    world.submit(submission()).await.unwrap();
    world.settle(&world.take_one(), Some(succeeded("9")));
    assert_eq!(world.heard().len(), 1);

    let again = world.submit_all(vec![submission()]).await;
    assert!(again.outcomes[0].as_ref().unwrap().is_duplicate);
    assert_eq!(
        world.heard().len(),
        1,
        "a duplicate of an ended task is told at once"
    );
    assert!(world.nothing_starts());

    let other = Submission {
        id: Some(id),
        ..world.square(4)
    };
    let refused = world
        .submit_all(vec![other])
        .await
        .outcomes
        .remove(0)
        .unwrap_err();
    assert!(matches!(refused, Refusal::Rejected(Rejected::Mismatch { of }) if of == id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_answered_item_by_item_in_order() {
    let world = World::new();
    let unknown = Submission {
        kind: kind("sqaure"),
        ..world.square(1)
    };
    let batch = vec![world.square(1), unknown, world.square(2)];
    let submitted = world.submit_all(batch).await;
    let [first, second, third] = &submitted.outcomes[..] else {
        panic!("three answers")
    };
    assert!(first.is_ok() && third.is_ok());
    let Err(Refusal::UnknownKind { nearest, .. }) = second else {
        panic!("{second:?}")
    };
    assert_eq!(nearest.as_ref().unwrap().as_str(), "square");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_higher_priority_comes_first_and_order_holds_within_one() {
    let world = World::new();
    let urgent = tareas_core::Priority::new(9).unwrap();
    for n in [1, 2] {
        world.submit(world.square(n)).await.unwrap();
    }
    world
        .submit(Submission {
            priority: urgent,
            ..world.square(3)
        })
        .await
        .unwrap();
    let order: Vec<Bytes> = (0..3).map(|_| world.take_one().payload).collect();
    assert_eq!(order, ["3", "1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_paused_queue_starts() {
    let world = World::new();
    let queue = tareas_core::QueueName::default();
    world.engine.pause(&queue, true).await.unwrap();
    let id = world.submit(world.square(1)).await.unwrap();
    assert!(world.nothing_starts());
    let why = world.engine.why(&world.task(id).await).await.unwrap();
    assert_eq!(why.code, WhyCode::QueuePaused);
    world.engine.pause(&queue, false).await.unwrap();
    assert_eq!(world.take_one().task.id(), id);
}

#[tokio::test(flavor = "multi_thread")]
async fn hints_that_did_not_fit_are_read_from_the_records_in_order() {
    let world = World::with_heads(4);
    let supervisor = Supervisor::new();
    for n in 0..50 {
        world.submit(world.square(n)).await.unwrap();
    }
    services::start(&world.engine, &supervisor);
    for n in 0..50 {
        let claimed = world.take_while_time_passes().await;
        assert_eq!(claimed.payload, n.to_string());
        world.settle(&claimed, Some(succeeded("0")));
    }
    assert!(supervisor.stop(Duration::from_secs(5)).await);
    assert_eq!(world.heard().len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_go_to_the_blob_store_and_go_with_their_task() {
    let world = World::new();
    let large = format!("\"{}\"", "x".repeat(100_000));
    let submission = Submission {
        payload: Bytes::from(large.clone()),
        ..world.square(1)
    };
    let id = world.submit(submission).await.unwrap();
    let claimed = world.take_one();
    assert_eq!(claimed.payload, large);
    world.settle(&claimed, Some(succeeded(&large)));
    let task = world.task(id).await;
    let result = task.result.clone().unwrap();
    assert!(matches!(&result, Body::Blob(blob) if blob.bytes == large.len() as u64));
    assert_eq!(world.engine.body_bytes(&result).await.unwrap(), large);
    world.engine.delete(id, Actor::System).await.unwrap();
    assert!(world.engine.body_bytes(&result).await.is_err());
    assert!(world.engine.task(id).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_with_the_task_or_with_the_patience() {
    let world = World::new();
    let id = world.submit(world.square(2)).await.unwrap();
    let engine = world.engine.clone();
    let waiting = tokio::spawn(async move { engine.wait(id, Duration::from_secs(10)).await });
    let claimed = world.take_one();
    while world.engine.watched_by(id) < 2 {
        tokio::task::yield_now().await;
    }
    world.settle(&claimed, Some(succeeded("4")));
    let Waited::Ended(task) = waiting.await.unwrap().unwrap() else {
        panic!("it has ended")
    };
    assert_eq!(task.phase(), Phase::Succeeded);

    let id = world.submit(world.square(2)).await.unwrap();
    let engine = world.engine.clone();
    let waiting = tokio::spawn(async move { engine.wait(id, Duration::from_secs(10)).await });
    while world.engine.watched_by(id) < 2 {
        tokio::task::yield_now().await;
    }
    // The sleeper may not be asleep yet: time passes until it has noticed.
    while !waiting.is_finished() {
        world.clock.advance(Duration::from_secs(11));
        tokio::task::yield_now().await;
    }
    assert!(matches!(
        waiting.await.unwrap().unwrap(),
        Waited::TimedOut(_)
    ));
    assert_eq!(
        world.engine.watched_by(id),
        1,
        "who stops waiting is forgotten"
    );
    let missing = TaskId::v7(world.engine.now(), 1);
    let refused = world
        .engine
        .wait(missing, Duration::from_secs(1))
        .await
        .unwrap_err();
    assert!(matches!(refused, Refusal::Rejected(Rejected::NotFound)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_has_gone_is_not_told_and_leaves_nothing_behind() {
    let world = World::new();
    world.submit(world.square(2)).await.unwrap();
    let claimed = world.take_one();
    let engine = world.engine.clone();
    let world = world.hang_up();
    world.settle(&claimed, Some(succeeded("4")));
    assert_eq!(engine.watched(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_an_earlier_life_are_taken_back_and_suspects_run_alone() {
    let world = World::new();
    for n in 0..3 {
        world.submit(world.square(n)).await.unwrap();
    }
    let ran: Vec<_> = (0..3).map(|_| world.take_one().task.id()).collect();
    // The pool had two threads: only its two oldest claims can have been started.
    let world = world.reborn();
    assert_eq!(world.engine.recover().await.unwrap(), 3);
    let crashes: Vec<u32> = {
        let mut crashes = Vec::new();
        for id in &ran {
            crashes.push(world.task(*id).await.crashes);
        }
        crashes
    };
    assert_eq!(crashes, [1, 1, 0]);
    world.clock.advance(Duration::from_secs(1));
    Timer::new(world.engine.clone())
        .pass(world.engine.now())
        .await;
    let first = world.take_one();
    let second = world.take_one();
    let suspects = [&first, &second]
        .iter()
        .filter(|c| c.task.crashes > 0)
        .count();
    assert_eq!(suspects, 1, "two suspects never run side by side");
    assert!(world.nothing_starts());
    world.settle(&first, Some(succeeded("0")));
    world.settle(&second, Some(succeeded("0")));
    assert_eq!(world.take_one().task.crashes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requeued_task_starts_again_with_the_next_attempt_number() {
    let world = World::new();
    let id = world.submit(world.square(1)).await.unwrap();
    world.settle(&world.take_one(), Some(failure("never", false)));
    assert_eq!(world.task(id).await.reason(), Some(Reason::Rejected));
    world.engine.requeue(id, Actor::System).await.unwrap();
    let again = world.take_one();
    assert_eq!((again.task.attempt, again.task.charged), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_over_its_limit_is_charged_and_its_late_result_refused() {
    let world = World::new();
    let id = world.submit(world.square(1)).await.unwrap();
    let claimed = world.take_one();
    world.settle(&claimed, None);
    let task = world.task(id).await;
    assert_eq!((task.phase(), task.charged), (Phase::Scheduled, 1));
    world.settle(&claimed, Some(succeeded("1")));
    assert_eq!(world.task(id).await.phase(), Phase::Scheduled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_engine_takes_nothing_and_starts_nothing() {
    let world = World::new();
    world.submit(world.square(1)).await.unwrap();
    world.engine.drain();
    let refused = world
        .submit_all(vec![world.square(2)])
        .await
        .outcomes
        .remove(0)
        .unwrap_err();
    assert!(matches!(refused, Refusal::Draining));
    assert!(
        !world.dispatcher.take(&mut Vec::new()),
        "threads of the pool may end"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn services_stop_early_twice_and_halfway() {
    let world = World::new();
    let early = Supervisor::new();
    assert!(
        early.stop(Duration::from_secs(5)).await,
        "before anything was started"
    );

    let supervisor = Supervisor::new();
    services::start(&world.engine, &supervisor);
    world.submit(world.square(1)).await.unwrap();
    assert!(supervisor.stop(Duration::from_secs(5)).await, "halfway");
    assert!(supervisor.stop(Duration::from_secs(5)).await, "twice");
    services::start(&world.engine, &early);
    assert!(
        early.stop(Duration::from_secs(5)).await,
        "started after the stop: ends at once"
    );
}
