//! The pool against a source that records everything.

mod source;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use source::{Gate, Recorder, assignment};
use tareas_worker::{CancelHandle, Context, Ending, HandlerError, Interrupted, Note};
use tareas_worker::{Pool, PoolOptions, Registry};

const LONG: Duration = Duration::from_secs(60);

/// The built-ins, and: `stubborn`, which enters the gate and waits there whatever happens,
/// `obedient`, which enters and ends when asked, `name`, `panic`, `talk`, `async`.
fn registry(gate: &Arc<Gate>) -> Arc<Registry> {
    let mut registry = Registry::with_builtins();
    let stubborn = gate.clone();
    registry.register(
        "stubborn",
        move |_: &Context, n: u64| -> Result<u64, HandlerError> {
            stubborn.pass();
            Ok(n)
        },
    );
    let obedient = gate.clone();
    registry.register(
        "obedient",
        move |context: &Context, n: u64| -> Result<u64, Interrupted> {
            obedient.enter();
            context.sleep(LONG).map(|()| n)
        },
    );
    registry.register(
        "name",
        |_: &Context, (): ()| -> Result<String, HandlerError> {
            Ok(std::thread::current().name().unwrap_or_default().to_owned())
        },
    );
    registry.register("panic", |_: &Context, n: u64| -> Result<(), HandlerError> {
        std::panic::resume_unwind(Box::new(format!("number {n}")))
    });
    registry.register(
        "talk",
        |context: &Context, (): ()| -> Result<(), HandlerError> {
            context.log("one\ntwo");
            context.progress(250.0, "nearly");
            Ok(())
        },
    );
    registry.register_async(
        "async",
        async |_: &Context, ms: u64| -> Result<u64, HandlerError> {
            timer(ms).await;
            Ok(ms)
        },
    );
    Arc::new(registry)
}

#[expect(
    clippy::disallowed_methods,
    reason = "that the runtime's timers work is what is tested"
)]
async fn timer(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

fn start(source: &Arc<Recorder>, gate: &Arc<Gate>, threads: usize) -> Pool {
    start_with(source, gate, threads, Duration::from_millis(500))
}

/// For handlers that do as they are asked: a busy machine may let them wait for long.
fn start_with(
    source: &Arc<Recorder>,
    gate: &Arc<Gate>,
    threads: usize,
    retire_grace: Duration,
) -> Pool {
    let options = PoolOptions {
        threads,
        retire_grace,
        ..PoolOptions::default()
    };
    Pool::start(registry(gate), source.clone(), options).expect("threads")
}

fn succeeded(ending: &Ending) -> String {
    match ending {
        Ending::Succeeded(result) => String::from_utf8(result.to_vec()).expect("UTF-8"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_assignment_ends_once() {
    // A thread that the system does not run for a while is slow, so its rest is put back.
    let (source, gate) = (Recorder::giving_again(17), Arc::default());
    let pool = start(&source, &gate, 4);
    for n in 0..20_000u64 {
        source.give(assignment(n, "square", &format!("{{\"n\":{n}}}")));
    }
    let done = source.wait_for_done(20_000);
    let tickets: BTreeSet<u64> = done.iter().map(|completion| completion.ticket).collect();
    assert_eq!((tickets.len(), done.len()), (20_000, 20_000));
    for completion in &done {
        let n = completion.ticket;
        assert_eq!(succeeded(&completion.ending), (n * n).to_string());
        assert_eq!((completion.task_id, completion.attempt), (u128::from(n), 1));
    }
    assert_eq!(pool.stop(LONG), 0);
}

#[test]
fn a_panic_costs_its_attempt_only() {
    let (source, gate) = (Recorder::with_batches_of(3), Arc::default());
    let _pool = start(&source, &gate, 1);
    source.give_all([
        assignment(1, "panic", "7"),
        assignment(2, "square", "3"),
        assignment(3, "nonsense", "{}"),
    ]);
    let done = source.wait_for_done(3);
    let errors = [
        (0, "panic", "the handler panicked: number 7"),
        (2, "unknown_kind", "no handler"),
    ];
    for (at, name, part) in errors {
        let Ending::Failed(error) = &done[at].ending else {
            panic!("{:?}", done[at])
        };
        assert_eq!(error.name, name);
        assert!(error.retryable && error.message.contains(part), "{error:?}");
    }
    assert_eq!(succeeded(&done[1].ending), "9");
}

#[test]
fn threads_have_names() {
    let (source, gate) = (Recorder::with_batches_of(1), Arc::default());
    let pool = start(&source, &gate, 1);
    source.give(assignment(1, "name", "null"));
    assert_eq!(
        succeeded(&source.wait_for_done(1)[0].ending),
        "\"tareas-pool-0\""
    );
    assert_eq!(pool.threads(), 1);
}

#[test]
fn a_handler_over_its_limit_is_asked_to_end() {
    let (source, gate) = (Recorder::with_batches_of(1), Arc::<Gate>::default());
    let pool = start(&source, &gate, 2);
    for (n, kind) in [(1, "obedient"), (2, "async")] {
        let timeout = Duration::from_millis(5);
        source.give(source::Assignment {
            timeout,
            ..assignment(n, kind, "60000")
        });
    }
    for completion in source.wait_for_done(2) {
        assert!(
            matches!(completion.ending, Ending::TimedOut),
            "{completion:?}"
        );
        assert!(completion.run_time >= Duration::from_millis(5));
    }
    assert_eq!(pool.retired(), 0);
}

#[test]
fn a_slot_whose_handler_does_not_return_is_retired() {
    let (source, gate) = (Recorder::with_batches_of(1), Arc::<Gate>::default());
    let pool = start(&source, &gate, 1);
    let timeout = Duration::from_millis(5);
    source.give(source::Assignment {
        timeout,
        ..assignment(1, "stubborn", "1")
    });
    let done = source.wait_for_done(1);
    assert!(matches!(done[0].ending, Ending::TimedOut), "{done:?}");
    assert_eq!(pool.retired(), 1);

    source.give(assignment(2, "name", "null"));
    assert_eq!(
        succeeded(&source.wait_for_done(2)[1].ending),
        "\"tareas-pool-0\""
    );

    // The late result is nobody's.
    gate.open();
    gate.wait_for_left(1);
    assert_eq!(pool.stop(LONG), 0);
    assert_eq!(source.wait_for_done(2).len(), 2);
}

#[test]
fn a_running_attempt_can_be_cancelled() {
    let (source, gate) = (Recorder::with_batches_of(1), Arc::<Gate>::default());
    let pool = start(&source, &gate, 1);
    source.give(assignment(1, "obedient", "1"));
    gate.wait_for_entered(1);
    let views = pool.slots();
    assert_eq!(
        (views[0].slot, views[0].task_id, views[0].kind.as_str()),
        (0, 1, "obedient")
    );
    assert!(!pool.cancel(1, 2), "another attempt");
    assert!(!pool.cancel(2, 1), "another task");
    assert!(pool.cancel(1, 1));
    assert!(matches!(
        source.wait_for_done(1)[0].ending,
        Ending::Cancelled
    ));
    assert!(!pool.cancel(1, 1), "it has ended");

    // The flag does not stick to the slot.
    source.give(assignment(2, "sleep", "1"));
    assert_eq!(succeeded(&source.wait_for_done(2)[1].ending), "1");
    assert!(pool.slots().is_empty());
}

#[test]
fn an_attempt_cancelled_before_it_began_never_runs() {
    let (source, gate) = (Recorder::with_batches_of(1), Arc::<Gate>::default());
    let _pool = start(&source, &gate, 1);
    let cancel = CancelHandle::new();
    cancel.cancel();
    source.give(source::Assignment {
        cancel: Some(cancel),
        ..assignment(1, "stubborn", "1")
    });
    assert!(matches!(
        source.wait_for_done(1)[0].ending,
        Ending::Cancelled
    ));
    assert_eq!(gate.entered(), 0);
}

#[test]
fn nothing_waits_behind_a_slow_attempt() {
    let (source, gate) = (Recorder::giving_again(4), Arc::<Gate>::default());
    source.give_all([
        assignment(1, "square", "2"),
        assignment(2, "stubborn", "5"),
        assignment(3, "square", "3"),
        assignment(4, "square", "4"),
    ]);
    let pool = start(&source, &gate, 1);
    assert_eq!(succeeded(&source.wait_for_done(1)[0].ending), "4");
    gate.wait_for_entered(1);
    // Everything but the slow one comes back, and can be given to another thread.
    source.wait_for_put_back_of(&[3, 4]);
    assert_eq!(pool.slots()[0].task_id, 2);
    gate.open();
    let done = source.wait_for_done(4);
    assert_eq!(
        done.iter().map(|c| c.ticket).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
}

#[test]
fn what_a_handler_says_is_passed_on_and_kept() {
    let (source, gate) = (Recorder::with_batches_of(1), Arc::default());
    let _pool = start(&source, &gate, 1);
    source.give(assignment(1, "talk", "null"));
    let done = source.wait_for_done(1);
    let trail = done[0].trail.as_ref().unwrap();
    assert_eq!(trail.log, "one\ntwo\n");
    assert_eq!(trail.progress.as_ref().unwrap().percent, 100.0);
    let notes = source.notes();
    assert_eq!(
        notes[..2],
        [Note::Log("one".into()), Note::Log("two".into())]
    );
    // The first at once, whatever follows.
    assert!(matches!(notes[2], Note::Progress(_)), "{notes:?}");

    source.give(assignment(2, "square", "2"));
    assert!(source.wait_for_done(2)[1].trail.is_none());
}

#[test]
fn a_pool_can_be_stopped_at_once_and_twice() {
    let (source, gate) = (Recorder::with_batches_of(1), Arc::default());
    let pool = start(&source, &gate, 3);
    assert_eq!(pool.stop(LONG), 0);
    assert_eq!(pool.stop(LONG), 0);
    drop(pool);
    assert!(source.wait_for_done(0).is_empty());
}

#[test]
fn a_stop_lets_what_runs_finish_and_gives_back_the_rest() {
    let (source, gate) = (Recorder::with_batches_of(2), Arc::<Gate>::default());
    source.give_all([assignment(1, "stubborn", "1"), assignment(2, "square", "2")]);
    let pool = start(&source, &gate, 1);
    gate.wait_for_entered(1);
    std::thread::scope(|scope| {
        let stop = scope.spawn(|| pool.stop(LONG));
        source.wait_for_put_back_of(&[2]);
        gate.open();
        assert_eq!(stop.join().unwrap(), 0);
    });
    assert_eq!(succeeded(&source.wait_for_done(1)[0].ending), "1");
}

#[test]
fn a_stop_without_grace_releases_what_runs() {
    let (source, gate) = (Recorder::with_batches_of(1), Arc::<Gate>::default());
    let pool = start_with(&source, &gate, 2, Duration::from_secs(3));
    source.give_all([
        assignment(1, "stubborn", "1"),
        assignment(2, "obedient", "2"),
    ]);
    gate.wait_for_entered(2);
    assert_eq!(pool.stop(Duration::ZERO), 1, "one had to be given up on");
    for completion in source.wait_for_done(2) {
        assert!(
            matches!(completion.ending, Ending::Released),
            "{completion:?}"
        );
    }
    gate.open();
    gate.wait_for_left(1);
    drop(pool);
    assert_eq!(source.wait_for_done(2).len(), 2);
}

#[test]
fn a_second_stop_with_less_grace_hurries_the_first() {
    let (source, gate) = (Recorder::with_batches_of(1), Arc::<Gate>::default());
    let pool = start_with(&source, &gate, 1, LONG);
    source.give(assignment(1, "obedient", "1"));
    gate.wait_for_entered(1);
    std::thread::scope(|scope| {
        let patient = scope.spawn(|| pool.stop(LONG));
        assert_eq!(pool.stop(Duration::ZERO), 0, "it ended when asked");
        assert_eq!(patient.join().unwrap(), 0);
    });
    assert!(matches!(
        source.wait_for_done(1)[0].ending,
        Ending::Released
    ));
}

#[test]
fn a_stop_amid_a_flood_loses_nothing() {
    let (source, gate) = (Recorder::with_batches_of(50), Arc::default());
    for n in 0..50_000 {
        source.give(assignment(n, "square", "2"));
    }
    let pool = start(&source, &gate, 4);
    source.wait_for_done(1000);
    drop(pool);
    let ended = source.wait_for_done(0).len();
    assert_eq!(ended + source.put_back().len() + source.left(), 50_000);
}
