//! Remote workers: who is given what, what happens when they vanish, and when they come back.

use std::time::Duration;

use tareas_core::task::Options;
use tareas_core::{Actor, Phase, Reason, TaskId};
use tareas_engine::services::{self, Supervisor, Timer};
use tareas_engine::{Assigned, Submission, Verdict, WhyCode, WorkerHello, WorkerState};

use super::worker::{Worker, a_while, eventually, held, hello};
use super::world::{World, failure, kind, succeeded};

/// A world whose services run, and that knows the kind `resize`, which its own pool lacks.
async fn world() -> (World, Supervisor) {
    let world = World::with_heads(50_000);
    let supervisor = start(&world);
    world.engine.kinds().announce([kind("resize")]);
    (world, supervisor)
}

fn start(world: &World) -> Supervisor {
    let supervisor = Supervisor::new();
    services::start(&world.engine, &supervisor);
    supervisor
}

fn resize() -> Submission {
    Submission::new(kind("resize"), "{}".into())
}

fn requiring(labels: &[&str]) -> Submission {
    let requires = labels.iter().map(|label| (*label).into()).collect();
    let options = Options {
        requires,
        ..Options::default()
    };
    Submission {
        options: Some(Box::new(options)),
        ..resize()
    }
}

async fn phase(world: &World, id: TaskId) -> Phase {
    world.task(id).await.phase()
}

async fn pass_time(world: &World, by: Duration) {
    world.clock.advance(by);
    Timer::new(world.engine.clone())
        .pass(world.engine.now())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_given_a_task_and_its_result_is_recorded_once() {
    let (world, _supervisor) = world().await;
    let worker = Worker::connect(&world.engine, hello(&["resize"], 1)).await;
    let id = world.submit(resize()).await.unwrap();
    let assigned = worker.brought().await;
    assert_eq!((assigned.len(), assigned[0].task.id()), (1, id));
    assert_eq!(&assigned[0].payload[..], b"{}");
    let held = held(&assigned[0]);
    let done = || Some(succeeded("7"));
    assert_eq!(worker.ended(held, done()).await, Verdict::Recorded);
    assert_eq!(worker.ended(held, done()).await, Verdict::Recorded, "again");
    assert_eq!(phase(&world, id).await, Phase::Succeeded);
    let unproven = tareas_engine::HeldBy {
        token: tareas_core::Token::new(1),
        ..held
    };
    assert_eq!(worker.ended(unproven, done()).await, Verdict::Stale);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_run_keeps_nobody_waiting() {
    let (world, _supervisor) = world().await;
    let first = world.submit(resize()).await.unwrap();
    let second = world.submit(world.square(3)).await.unwrap();
    let claimed = tokio::task::block_in_place(|| world.take_one());
    assert_eq!(claimed.task.id(), second);
    let waiting = world.task(first).await;
    assert_eq!(waiting.phase(), Phase::Queued);
    let why = world.engine.why(&waiting).await.unwrap();
    assert_eq!(why.code, WhyCode::NoWorkerForKind);
    let worker = Worker::connect(&world.engine, hello(&["resize"], 1)).await;
    assert_eq!(worker.brought().await[0].task.id(), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_line_of_what_nobody_can_run_is_found_again() {
    let (world, _supervisor) = world().await;
    const MANY: usize = 12_000;
    for _ in 0..MANY / 4_000 {
        world.submit_all(vec![resize(); 4_000]).await;
    }
    let own = world.submit(world.square(3)).await.unwrap();
    let claimed = tokio::task::block_in_place(|| world.take_one());
    assert_eq!(claimed.task.id(), own);
    let greedy = WorkerHello {
        prefetch: 8_192,
        ..hello(&["resize"], 1_000)
    };
    let worker = Worker::connect(&world.engine, greedy).await;
    let mut done = 0;
    while done < MANY {
        eventually(|| {
            world.clock.advance(Duration::from_millis(1));
            // However often it is asked on a slow machine, the worker lives.
            worker.engine.heard(&worker.link);
            worker.engine.workers()[0].running > 0
        })
        .await;
        for assigned in worker.take() {
            let verdict = worker.ended(held(&assigned), Some(succeeded("1"))).await;
            assert_eq!(verdict, Verdict::Recorded);
            done += 1;
        }
    }
    assert_eq!(done, MANY);
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_queues_and_labels_decide_who_is_given_what() {
    let (world, _supervisor) = world().await;
    let gpu = WorkerHello {
        labels: vec!["gpu".into(), "big".into()],
        ..hello(&["resize"], 8)
    };
    let plain = Worker::connect(&world.engine, hello(&["resize", "ocr"], 8)).await;
    let id = world.submit(requiring(&["gpu"])).await.unwrap();
    a_while().await;
    assert!(plain.take().is_empty());
    let why = world.engine.why(&world.task(id).await).await.unwrap();
    assert_eq!(why.code, WhyCode::NoWorkerWithLabels);
    assert!(why.hint.unwrap().contains("--label gpu"));
    let gpu = Worker::connect(&world.engine, gpu).await;
    assert_eq!(gpu.brought().await[0].task.id(), id);

    let only_mail = WorkerHello {
        queues: vec![tareas_core::QueueName::new("mail").unwrap()],
        ..hello(&["send"], 8)
    };
    let mailer = Worker::connect(&world.engine, only_mail).await;
    let send = |queue: &str| Submission {
        queue: tareas_core::QueueName::new(queue).unwrap(),
        ..Submission::new(kind("send"), "1".into())
    };
    let other = world.submit(send("other")).await.unwrap();
    let mail = world.submit(send("mail")).await.unwrap();
    assert_eq!(mailer.brought().await[0].task.id(), mail);
    let why = world.engine.why(&world.task(other).await).await.unwrap();
    assert_eq!(why.code, WhyCode::NoWorkerForQueue);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_holds_no_more_than_it_can_begin_soon() {
    let (world, _supervisor) = world().await;
    let prefetching = || WorkerHello {
        prefetch: 100,
        ..hello(&["resize"], 2)
    };
    let one = Worker::connect(&world.engine, prefetching()).await;
    let two = Worker::connect(&world.engine, prefetching()).await;
    world.submit_all(vec![resize(); 10]).await;
    eventually(|| world.engine.workers().iter().all(|w| w.running == 2)).await;
    a_while().await;
    let running: Vec<usize> = world.engine.workers().iter().map(|w| w.running).collect();
    assert_eq!(running, [2, 2], "how long the kind takes is not known");
    for worker in [&one, &two] {
        for assigned in worker.take() {
            worker.ended(held(&assigned), Some(succeeded("1"))).await;
        }
    }
    // It takes a tenth of a millisecond, so more than two are held.
    eventually(|| {
        world
            .engine
            .workers()
            .iter()
            .map(|w| w.running)
            .sum::<usize>()
            == 6
    })
    .await;
    drop((one, two));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tasks_of_a_worker_that_vanishes_go_to_another() {
    let (world, _supervisor) = world().await;
    let lost = Worker::connect(&world.engine, hello(&["resize"], 1)).await;
    let id = world.submit(resize()).await.unwrap();
    let given = lost.brought().await;
    lost.engine.leave(&lost.link, false).await;
    let other = Worker::connect(&world.engine, hello(&["resize"], 1)).await;
    pass_time(&world, Duration::from_secs(4)).await;
    assert_eq!(phase(&world, id).await, Phase::Running, "it may come back");
    pass_time(&world, Duration::from_secs(2)).await;
    let task = world.task(id).await;
    assert_eq!((task.crashes, task.charged), (1, 0));
    pass_time(&world, Duration::from_secs(1)).await;
    let again = other.brought().await;
    assert_eq!((again[0].task.id(), again[0].task.attempt), (id, 2));
    let late = lost.ended(held(&given[0]), Some(succeeded("1"))).await;
    assert_eq!(late, Verdict::Stale);
    let verdict = other.ended(held(&again[0]), Some(succeeded("2"))).await;
    assert_eq!(verdict, Verdict::Recorded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_says_nothing_is_dead_after_a_while() {
    let (world, _supervisor) = world().await;
    let worker = Worker::connect(&world.engine, hello(&["resize"], 1)).await;
    let id = world.submit(resize()).await.unwrap();
    worker.brought().await;
    pass_time(&world, Duration::from_secs(14)).await;
    world.engine.heard(&worker.link);
    pass_time(&world, Duration::from_secs(14)).await;
    assert!(world.engine.has_session(&worker.link));
    pass_time(&world, Duration::from_secs(2)).await;
    assert!(!world.engine.has_session(&worker.link));
    assert_eq!(world.task(id).await.crashes, 1);
    assert!(world.engine.workers().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_can_have_been_started_counts_as_a_crash() {
    let (world, _supervisor) = world().await;
    let prefetching = WorkerHello {
        prefetch: 100,
        ..hello(&["resize"], 1)
    };
    let worker = Worker::connect(&world.engine, prefetching).await;
    world.submit(resize()).await.unwrap();
    let first = worker.brought().await;
    worker.ended(held(&first[0]), Some(succeeded("1"))).await;
    let outcomes = world.submit_all(vec![resize(); 5]).await.outcomes;
    eventually(|| world.engine.workers()[0].running == 5).await;
    pass_time(&world, Duration::from_secs(16)).await;
    let mut crashes = Vec::new();
    for outcome in outcomes {
        let task = world.task(outcome.unwrap().task.id()).await;
        crashes.push(task.crashes);
    }
    assert_eq!(crashes, [1, 0, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_comes_back_goes_on_with_what_it_holds() {
    let (world, _supervisor) = world().await;
    let before = Worker::connect(&world.engine, hello(&["resize"], 3)).await;
    world.submit_all(vec![resize(); 3]).await;
    let mut given: Vec<Assigned> = Vec::new();
    while given.len() < 3 {
        given.extend(before.brought().await);
    }
    before.engine.leave(&before.link, false).await;
    // The first was started; the second is held by nobody; a third one is made up.
    let kept = held(&given[0]);
    let made_up = tareas_engine::HeldBy {
        attempt: 9,
        ..held(&given[2])
    };
    let coming_back = WorkerHello {
        resume: Some(before.resume.clone()),
        holding: vec![kept, made_up],
        ..hello(&["resize"], 3)
    };
    let after = Worker::connect(&world.engine, coming_back).await;
    assert!(after.is_resumed);
    assert_eq!(after.dropped, [made_up]);
    let mut again = Vec::new();
    while again.len() < 2 {
        again.extend(after.brought().await);
    }
    let mut ids: Vec<TaskId> = again.iter().map(|a| a.task.id()).collect();
    ids.sort();
    let mut released = vec![given[1].task.id(), given[2].task.id()];
    released.sort();
    assert_eq!(ids, released, "what it did not have is given out again");
    assert_eq!(
        after.ended(kept, Some(succeeded("1"))).await,
        Verdict::Recorded
    );
    let task = world.task(kept.task).await;
    assert_eq!((task.attempt, task.crashes), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_right_opens_nothing() {
    let (world, _supervisor) = world().await;
    let worker = Worker::connect(&world.engine, hello(&["resize"], 1)).await;
    world.submit(resize()).await.unwrap();
    let given = worker.brought().await;
    let mut wrong = worker.resume.clone();
    let last = wrong.pop().unwrap();
    wrong.push(if last == '0' { '1' } else { '0' });
    let thief = WorkerHello {
        resume: Some(wrong),
        holding: vec![held(&given[0])],
        ..hello(&["resize"], 1)
    };
    let thief = Worker::connect(&world.engine, thief).await;
    assert!(!thief.is_resumed);
    assert_eq!(thief.dropped, [held(&given[0])]);
    assert!(world.engine.has_session(&worker.link));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_goes_on_across_a_restart_of_the_server() {
    let (world, supervisor) = world().await;
    let before = Worker::connect(&world.engine, hello(&["resize"], 2)).await;
    world.submit_all(vec![resize(); 2]).await;
    let mut given = Vec::new();
    while given.len() < 2 {
        given.extend(before.brought().await);
    }
    supervisor.stop(Duration::from_secs(1)).await;
    let world = world.reborn();
    assert_eq!(world.engine.recover().await.unwrap(), 0);
    let _supervisor = start(&world);
    pass_time(&world, Duration::from_secs(10)).await;
    let coming_back = WorkerHello {
        resume: Some(before.resume.clone()),
        holding: vec![held(&given[0])],
        ..hello(&["resize"], 2)
    };
    let after = Worker::connect(&world.engine, coming_back).await;
    assert!(after.is_resumed && after.dropped.is_empty());
    let again = after.brought().await;
    assert_eq!(
        again[0].task.id(),
        given[1].task.id(),
        "it was not held any more"
    );
    let verdict = after.ended(held(&given[0]), Some(succeeded("1"))).await;
    assert_eq!(verdict, Verdict::Recorded);
    assert_eq!(world.task(given[0].task.id()).await.attempt, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_a_worker_that_stays_away_is_lost() {
    let (world, supervisor) = world().await;
    let before = Worker::connect(&world.engine, hello(&["resize"], 1)).await;
    let id = world.submit(resize()).await.unwrap();
    before.brought().await;
    supervisor.stop(Duration::from_secs(1)).await;
    let world = world.reborn();
    assert_eq!(world.engine.recover().await.unwrap(), 0);
    pass_time(&world, Duration::from_secs(14)).await;
    assert_eq!(phase(&world, id).await, Phase::Running);
    pass_time(&world, Duration::from_secs(2)).await;
    assert_eq!(world.task(id).await.crashes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_asked_to_stop_what_was_cancelled() {
    let (world, _supervisor) = world().await;
    let worker = Worker::connect(&world.engine, hello(&["resize"], 1)).await;
    let id = world.submit(resize()).await.unwrap();
    let given = worker.brought().await;
    world.engine.cancel(id, Actor::System).await.unwrap();
    assert_eq!(worker.cancelled(), [(id, 1)]);
    let verdict = worker
        .ended(held(&given[0]), Some(tareas_core::Ending::Released))
        .await;
    assert_eq!(verdict, Verdict::Recorded);
    assert_eq!(world.task(id).await.reason(), Some(Reason::Requested));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_is_not_reported_in_time_is_ended_by_the_server() {
    let (world, _supervisor) = world().await;
    let worker = Worker::connect(&world.engine, hello(&["resize"], 1)).await;
    let options = Options {
        timeout: Some(Duration::from_secs(2)),
        ..Options::default()
    };
    let id = world
        .submit(Submission {
            options: Some(Box::new(options)),
            ..resize()
        })
        .await
        .unwrap();
    let given = worker.brought().await;
    pass_time(&world, Duration::from_secs(3)).await;
    assert_eq!(phase(&world, id).await, Phase::Running);
    pass_time(&world, Duration::from_secs(3)).await;
    let task = world.task(id).await;
    assert_eq!((task.phase(), task.charged), (Phase::Scheduled, 1));
    assert_eq!(worker.cancelled(), [(id, 1)]);
    let late = worker.ended(held(&given[0]), Some(succeeded("1"))).await;
    assert_eq!(late, Verdict::Stale);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_says_goodbye_gives_back_what_it_holds() {
    let (world, _supervisor) = world().await;
    let worker = Worker::connect(&world.engine, hello(&["resize"], 1)).await;
    let id = world.submit(resize()).await.unwrap();
    worker.brought().await;
    worker.engine.leave(&worker.link, true).await;
    let task = world.task(id).await;
    assert_eq!((task.phase(), task.crashes), (Phase::Queued, 0));
    assert!(world.engine.workers().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_drains_is_given_nothing_more() {
    let (world, _supervisor) = world().await;
    let worker = Worker::connect(&world.engine, hello(&["resize"], 1)).await;
    world.engine.set_slots(&worker.link, 0);
    world.submit(resize()).await.unwrap();
    a_while().await;
    assert!(worker.take().is_empty());
    assert_eq!(world.engine.workers()[0].state, WorkerState::Draining);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspect_runs_beside_no_other_suspect() {
    let (world, _supervisor) = world().await;
    let lost = Worker::connect(&world.engine, hello(&["resize"], 2)).await;
    world.submit_all(vec![resize(); 2]).await;
    eventually(|| world.engine.workers()[0].running == 2).await;
    lost.take();
    pass_time(&world, Duration::from_secs(16)).await;
    let other = Worker::connect(&world.engine, hello(&["resize"], 2)).await;
    pass_time(&world, Duration::from_secs(1)).await;
    let first = other.brought().await;
    a_while().await;
    assert!(other.take().is_empty());
    assert_eq!(first.len(), 1);
    other
        .ended(held(&first[0]), Some(failure("no", false)))
        .await;
    assert_eq!(other.brought().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_attempt_says_is_kept_while_it_is_its_own() {
    let (world, _supervisor) = world().await;
    let worker = Worker::connect(&world.engine, hello(&["resize"], 1)).await;
    let id = world.submit(resize()).await.unwrap();
    let held = held(&worker.brought().await[0]);
    let log = || tareas_engine::Said::Log("half".to_owned());
    assert_eq!(worker.says(held, log()).await, Verdict::Noted);
    let other = tareas_engine::HeldBy { attempt: 2, ..held };
    assert_eq!(worker.says(other, log()).await, Verdict::Stale);
    assert_eq!(world.engine.notes().of(id)[0].log, ["half"]);
}
