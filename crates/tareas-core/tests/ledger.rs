//! Many tasks: identity, admission, order in line, repetition, and what leaves memory.

mod given;

use std::collections::HashMap;
use std::sync::Arc;

use given::{
    NOW, SESSION, batch, cancel, claim, default_lane, delete, failed, id, keyed, later, line,
    new_task, requeue, result, settle, spec, with_options,
};
use tareas_core::ledger::{Config, Stored, Write};
use tareas_core::{
    Command, Ending, Fence, Jitter, Ledger, NewTask, Options, Outcome, Phase, Place, Position,
    QueueName, Rejected, Spec, Sweep, Task, TaskId, Timestamp,
};

fn decide(ledger: &mut Ledger, command: Command) -> Outcome {
    decide_at(ledger, NOW, command)
}

fn decide_at(ledger: &mut Ledger, now: Timestamp, command: Command) -> Outcome {
    ledger.decide(&batch(now, [command])).outcomes.remove(0)
}

fn done(ledger: &mut Ledger, command: Command) -> Task {
    match decide(ledger, command) {
        Outcome::Done(task) => task,
        other => panic!("{other:?}"),
    }
}

fn refused(ledger: &mut Ledger, command: Command) -> Rejected {
    match decide(ledger, command) {
        Outcome::Refused(rejected) => rejected,
        other => panic!("{other:?}"),
    }
}

fn submit(ledger: &mut Ledger, number: u128) -> TaskId {
    done(ledger, Command::Submit(new_task(number, None))).id()
}

/// Commits everything, as a store does.
fn commit(ledger: &mut Ledger) -> Vec<Write> {
    let cut = ledger.cut(usize::MAX, usize::MAX);
    ledger.committed(&cut, NOW);
    cut.rows.iter().map(|row| row.write).collect()
}

fn in_memory() -> Ledger {
    Ledger::new(Config::default())
}

/// A ledger that lets go of what is on disk.
fn with_disk(live_max: usize) -> Ledger {
    Ledger::new(Config {
        live_max,
        ..Config::default()
    })
}

fn rejected(outcome: &Outcome) -> Option<&Rejected> {
    match outcome {
        Outcome::Refused(rejected) => Some(rejected),
        _ => None,
    }
}

#[test]
fn one_identity_is_one_task() {
    let mut ledger = in_memory();
    let first = keyed(1, "order-1");
    assert!(matches!(
        decide(&mut ledger, Command::Submit(first.clone())),
        Outcome::Done(_)
    ));
    let again = decide(&mut ledger, Command::Submit(first));
    assert!(
        matches!(again, Outcome::Already(task) if task.id() == id(1)),
        "same id"
    );
    let other_id = decide(&mut ledger, Command::Submit(keyed(2, "order-1")));
    assert!(
        matches!(other_id, Outcome::Already(task) if task.id() == id(1)),
        "same key"
    );
    let options = Some(Box::new(keyed(3, "order-1").spec.options().clone()));
    let other = Spec {
        payload: result("6"),
        options,
        ..spec(3)
    };
    let other = NewTask {
        spec: Arc::new(other),
        ..new_task(3, None)
    };
    let mismatch = Rejected::Mismatch { of: id(1) };
    assert_eq!(refused(&mut ledger, Command::Submit(other)), mismatch);
    assert_eq!(ledger.live(), 1);
}

#[test]
fn an_id_that_this_server_made_is_recognised_too() {
    let mut ledger = in_memory();
    submit(&mut ledger, 1);
    let again = decide(&mut ledger, Command::Submit(new_task(1, None)));
    assert!(matches!(again, Outcome::Already(_)));
    assert_eq!(ledger.live(), 1);
}

#[test]
fn an_id_from_another_time_is_refused() {
    let mut ledger = in_memory();
    let new = with_options(1, Options::default());
    let next_week = later(7 * 24 * 3600);
    let outcome = decide_at(&mut ledger, next_week, Command::Submit(new));
    assert_eq!(rejected(&outcome), Some(&Rejected::IdWindow));
}

#[test]
fn a_refused_submission_leaves_no_trace() {
    let config = Config {
        journal_tasks_max: 0,
        ..Config::default()
    };
    let mut ledger = Ledger::new(config);
    let overloaded = refused(&mut ledger, Command::Submit(new_task(1, None)));
    assert_eq!(overloaded, Rejected::Overloaded);
    ledger.set_storage_full(true);
    let full = refused(&mut ledger, Command::Submit(keyed(1, "k")));
    assert_eq!(full, Rejected::StorageFull);
    assert_eq!(ledger.counts().count(), 0);
    assert_eq!(
        (ledger.position(), ledger.is_dirty()),
        (Position::ZERO, false)
    );
}

#[test]
fn a_full_queue_refuses_until_a_task_is_claimed() {
    let config = Config {
        queue_tasks_max: Some(2),
        ..Config::default()
    };
    let mut ledger = Ledger::new(config);
    submit(&mut ledger, 1);
    submit(&mut ledger, 2);
    let full = refused(&mut ledger, Command::Submit(new_task(3, None)));
    assert_eq!(full, Rejected::QueueFull);
    done(&mut ledger, claim(id(1), 0));
    submit(&mut ledger, 3);
}

#[test]
fn journal_bytes_return_to_zero_whatever_happens_between_commits() {
    let mut ledger = with_disk(100);
    for number in 1..=4 {
        submit(&mut ledger, number);
    }
    commit(&mut ledger);
    for number in 1..=4 {
        done(&mut ledger, claim(id(number), 0));
    }
    commit(&mut ledger);
    done(
        &mut ledger,
        settle(id(1), 1, Ending::Succeeded(result("1234567890"))),
    );
    done(&mut ledger, delete(id(1)));
    done(&mut ledger, settle(id(2), 1, failed()));
    done(&mut ledger, requeue(id(2)));
    done(
        &mut ledger,
        settle(id(3), 1, Ending::Succeeded(result("1"))),
    );
    assert!(ledger.journal_bytes() > 0);
    commit(&mut ledger);
    assert_eq!(ledger.journal_bytes(), 0);
}

#[test]
fn a_second_start_waits_until_the_first_is_durable() {
    let mut ledger = with_disk(100);
    submit(&mut ledger, 1);
    commit(&mut ledger);
    done(&mut ledger, claim(id(1), 0));
    let until = ledger.position();
    done(&mut ledger, settle(id(1), 1, Ending::Released));
    assert_eq!(
        refused(&mut ledger, claim(id(1), 1)),
        Rejected::Undurable { until }
    );
    commit(&mut ledger);
    assert_eq!(done(&mut ledger, claim(id(1), 1)).attempt, 2);
}

#[test]
fn a_start_is_on_disk_when_its_task_is_though_the_cut_was_a_part() {
    let mut ledger = with_disk(100);
    submit(&mut ledger, 1);
    submit(&mut ledger, 2);
    commit(&mut ledger);
    ledger.decide(&batch(NOW, [claim(id(1), 0), claim(id(2), 0)]));
    done(&mut ledger, settle(id(1), 1, Ending::Released));
    let stale = refused(&mut ledger, claim(id(1), 7));
    assert_eq!(stale, Rejected::Stale, "it would not start later either");
    let cut = ledger.cut(1, usize::MAX);
    ledger.committed(&cut, NOW);
    assert!(ledger.durable() < ledger.position());
    assert_eq!(done(&mut ledger, claim(id(1), 1)).attempt, 2);
}

#[test]
fn a_task_that_may_have_been_started_before_skips_a_number() {
    let mut ledger = Ledger::new(Config {
        suspect_seq: 1,
        ..Config::default()
    });
    submit(&mut ledger, 1);
    submit(&mut ledger, 2);
    assert_eq!(done(&mut ledger, claim(id(1), 0)).attempt, 2);
    assert_eq!(done(&mut ledger, claim(id(2), 0)).attempt, 1);
}

#[test]
fn the_same_command_twice_is_answered_as_the_first_time() {
    let mut ledger = in_memory();
    let tasks = [1, 2, 3, 4].map(|number| submit(&mut ledger, number));
    let overdue = Command::Overdue {
        task: tasks[1],
        attempt: 1,
        jitter: Jitter(0),
        ran_by: None,
    };
    let commands = [
        claim(tasks[0], 0),
        claim(tasks[1], 0),
        cancel(tasks[1]),
        overdue,
        settle(tasks[0], 1, failed()),
        requeue(tasks[0]),
        cancel(tasks[2]),
    ];
    for command in commands {
        assert!(
            matches!(decide(&mut ledger, command.clone()), Outcome::Done(_)),
            "{command:?}"
        );
        ledger.settle_in_memory(NOW);
        let position = ledger.position();
        let again = decide(&mut ledger, command.clone());
        assert!(
            matches!(again, Outcome::Already(_)),
            "{command:?} gave {again:?}"
        );
        assert!(
            !ledger.is_dirty() && ledger.position() == position,
            "{command:?}"
        );
    }
}

#[test]
fn a_claim_without_token_is_never_taken_for_another() {
    let mut ledger = in_memory();
    submit(&mut ledger, 1);
    let claim = Command::Claim {
        task: id(1),
        expected_attempt: 0,
        session: SESSION,
        token: None,
    };
    done(&mut ledger, claim.clone());
    let phase = Phase::Running;
    assert_eq!(refused(&mut ledger, claim), Rejected::WrongState { phase });
}

#[test]
fn what_a_lost_attempt_brings_late_is_stale_even_without_token() {
    let mut ledger = in_memory();
    submit(&mut ledger, 1);
    let (task, token) = (id(1), None);
    done(
        &mut ledger,
        Command::Claim {
            task,
            expected_attempt: 0,
            session: SESSION,
            token,
        },
    );
    done(
        &mut ledger,
        Command::Overdue {
            task,
            attempt: 1,
            jitter: Jitter(0),
            ran_by: None,
        },
    );
    let fence = Fence { attempt: 1, token };
    let ending = Ending::Succeeded(result("1"));
    let late = Command::Settle {
        task,
        fence,
        ending,
        jitter: Jitter(0),
    };
    assert_eq!(refused(&mut ledger, late), Rejected::Stale);
}

#[test]
fn a_paused_queue_keeps_its_line() {
    let mut ledger = in_memory();
    submit(&mut ledger, 1);
    let before = ledger.position();
    assert!(ledger.pause(&QueueName::default(), true) > before);
    assert_eq!(refused(&mut ledger, claim(id(1), 0)), Rejected::Paused);
    assert_eq!(line(&ledger), [id(1)]);
    ledger.pause(&QueueName::default(), false);
    done(&mut ledger, claim(id(1), 0));
}

#[test]
fn what_comes_back_is_in_line_once() {
    let mut ledger = in_memory();
    for number in 1..=3 {
        submit(&mut ledger, number);
    }
    // Released from behind the head, so that its old entry is still in the line.
    done(&mut ledger, claim(id(2), 0));
    ledger.settle_in_memory(NOW);
    done(&mut ledger, settle(id(2), 1, Ending::Released));
    assert_eq!(line(&ledger), [id(1), id(2), id(3)]);
}

#[test]
fn what_was_evicted_and_comes_back_is_in_line_once() {
    let mut ledger = with_disk(0);
    let tasks: Vec<Task> = (1..=3)
        .map(|number| done(&mut ledger, Command::Submit(new_task(number, None))))
        .collect();
    commit(&mut ledger);
    assert_eq!((ledger.live(), line(&ledger).len()), (0, 0));
    let stored = |seq: usize| Stored {
        seq: seq as u64 + 1,
        task: tasks[seq].clone(),
    };
    ledger.install(vec![stored(2), stored(0), stored(1)]);
    assert_eq!(line(&ledger), [id(1), id(2), id(3)]);
    let counts = ledger.counts().next().unwrap().1;
    assert_eq!(
        counts[Phase::Queued as usize],
        3,
        "it stayed counted while it was away"
    );
}

#[test]
fn a_line_can_be_read_on_from_a_place() {
    let mut ledger = in_memory();
    for number in 1..=5 {
        submit(&mut ledger, number);
    }
    let first = ledger.ready(&default_lane(), Place::START, 2);
    let rest = ledger.ready(&default_lane(), first[1].place, 9);
    let ids: Vec<TaskId> = first.iter().chain(&rest).map(|hint| hint.task).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5].map(id));
}

#[test]
fn places_grow_even_when_the_clock_is_set_back() {
    let mut ledger = in_memory();
    submit(&mut ledger, 1);
    let command = Command::Submit(new_task(2, None));
    decide_at(&mut ledger, Timestamp::EPOCH, command);
    assert_eq!(line(&ledger), [id(1), id(2)]);
}

#[test]
fn a_removed_task_does_not_come_back_from_the_disk() {
    let mut ledger = with_disk(0);
    done(&mut ledger, Command::Submit(keyed(1, "k")));
    let cancelled = done(&mut ledger, cancel(id(1)));
    commit(&mut ledger);
    let stored = || {
        vec![Stored {
            seq: 1,
            task: cancelled.clone(),
        }]
    };
    ledger.install(stored());
    done(&mut ledger, delete(id(1)));
    // The removal is decided; the disk still has the row.
    let commands = [Command::Submit(keyed(2, "k")), cancel(id(1))];
    assert_eq!(ledger.missing(&commands).ids, [id(2)]);
    ledger.install(stored());
    assert!(ledger.get(id(1)).is_none() && ledger.is_removed(id(1)));
    assert_eq!(refused(&mut ledger, cancel(id(1))), Rejected::NotFound);
    done(&mut ledger, Command::Submit(keyed(2, "k")));
    let writes = commit(&mut ledger);
    assert_eq!(writes, [Write::Delete { base: 2 }, Write::Insert]);
    assert!(!ledger.is_removed(id(1)));
}

#[test]
fn a_key_goes_with_its_task() {
    let mut ledger = in_memory();
    done(&mut ledger, Command::Submit(keyed(1, "k")));
    done(&mut ledger, cancel(id(1)));
    done(&mut ledger, delete(id(1)));
    ledger.settle_in_memory(NOW);
    let missing = ledger.missing(&[Command::Submit(keyed(2, "k"))]);
    assert_eq!(missing.keys, ["k"], "nobody has it any more");
    done(&mut ledger, Command::Submit(keyed(2, "k")));
}

#[test]
fn a_key_found_on_disk_leads_to_its_task() {
    let mut ledger = with_disk(0);
    let first = done(&mut ledger, Command::Submit(keyed(1, "k")));
    commit(&mut ledger);
    let again = [Command::Submit(keyed(2, "k"))];
    assert_eq!(ledger.missing(&again).keys, ["k"]);
    ledger.install_keys(HashMap::from([("k".into(), id(1))]));
    assert_eq!(ledger.missing(&again).ids, [id(2), id(1)]);
    ledger.install(vec![Stored {
        seq: 1,
        task: first,
    }]);
    let [again] = again;
    assert!(matches!(decide(&mut ledger, again), Outcome::Already(task) if task.id() == id(1)));
}

#[test]
fn a_life_between_two_commits_is_written_once() {
    let mut ledger = with_disk(100);
    submit(&mut ledger, 1);
    done(&mut ledger, claim(id(1), 0));
    done(
        &mut ledger,
        settle(id(1), 1, Ending::Succeeded(result("25"))),
    );
    let cut = ledger.cut(usize::MAX, usize::MAX);
    assert_eq!((cut.rows.len(), cut.folded), (1, 1));
    assert_eq!(cut.counts.len(), 1, "{:?}", cut.counts);
    ledger.committed(&cut, NOW);
    assert_eq!(ledger.live(), 0, "what is over and on disk leaves memory");
}

#[test]
fn a_task_removed_before_it_was_written_is_never_written() {
    let mut ledger = with_disk(100);
    submit(&mut ledger, 1);
    done(&mut ledger, cancel(id(1)));
    done(&mut ledger, delete(id(1)));
    let cut = ledger.cut(usize::MAX, usize::MAX);
    assert_eq!((cut.rows[0].write, cut.counts.len()), (Write::Nothing, 0));
    ledger.committed(&cut, NOW);
    assert_eq!(ledger.durable(), ledger.position());
}

#[test]
fn a_small_cut_reaches_only_as_far_as_it_is_complete() {
    let mut ledger = with_disk(100);
    submit(&mut ledger, 1);
    let first = ledger.position();
    ledger.decide(&batch(
        NOW,
        (2..=4).map(|n| Command::Submit(new_task(n, None))),
    ));
    let cut = ledger.cut(2, usize::MAX);
    assert_eq!(cut.position, first, "half of a batch is not the batch");
    ledger.committed(&cut, NOW);
    assert_eq!(ledger.durable(), first);
    commit(&mut ledger);
    assert_eq!(ledger.durable(), ledger.position());
}

#[test]
fn the_writer_waits_for_quick_tasks_of_the_round_before() {
    let mut ledger = with_disk(100);
    let quick = |number| {
        Command::Submit(NewTask {
            quick: true,
            ..new_task(number, None)
        })
    };
    done(&mut ledger, quick(1));
    assert!(ledger.round_is_folded(), "this round has not begun to wait");
    ledger.begin_round();
    done(&mut ledger, quick(2));
    assert!(!ledger.round_is_folded());
    done(&mut ledger, claim(id(1), 0));
    done(
        &mut ledger,
        settle(id(1), 1, Ending::Succeeded(result("1"))),
    );
    assert!(ledger.round_is_folded(), "the second one is not waited for");
}

#[test]
fn only_the_oldest_claims_of_a_lost_session_are_charged() {
    let mut ledger = in_memory();
    for number in 1..=4 {
        submit(&mut ledger, number);
        let command = claim(id(number), 0);
        decide_at(&mut ledger, later(number as u64), command);
    }
    let sweep = Sweep::Reclaim {
        session: SESSION,
        slots: 2,
        worker: None,
    };
    let held = ledger.candidates(&sweep, later(9), 1);
    assert_eq!(
        held,
        [1, 2, 3, 4].map(id),
        "a reclaim sees all of them, whatever the limit"
    );
    let applied = ledger.decide_sweep(&sweep, &held, later(9));
    let crashes: Vec<u32> = applied
        .outcomes
        .iter()
        .filter_map(|o| o.task())
        .map(|task| task.crashes)
        .collect();
    assert_eq!(crashes, [1, 1, 0, 0]);
    assert_eq!(line(&ledger), [id(3), id(4)]);
}

#[test]
fn sweeps_go_by_time_then_id_and_spare_what_moved_on() {
    let mut ledger = in_memory();
    for (number, seconds) in [(1, 3), (2, 1), (4, 2), (3, 2), (5, 9)] {
        done(
            &mut ledger,
            Command::Submit(new_task(number, Some(later(seconds)))),
        );
    }
    let due = ledger.candidates(&Sweep::Due, later(3), 9);
    assert_eq!(due, [2, 3, 4, 1].map(id));
    assert_eq!(ledger.candidates(&Sweep::Due, later(3), 2), due[..2]);
    done(&mut ledger, cancel(id(3)));
    let applied = ledger.decide_sweep(&Sweep::Due, &due, later(3));
    assert_eq!(
        applied
            .outcomes
            .iter()
            .filter(|outcome| outcome.task().is_some())
            .count(),
        3
    );
    assert_eq!(line(&ledger), [2, 4, 1].map(id));
}
