//! The table of the life cycle agrees with the functions, and the document with the table.

mod given;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use given::{NOW, SESSION, claim_by, failed, fence, later, one_of_each_state, result, retryable};
use tareas_core::diagram::{self, TRANSITIONS};
use tareas_core::lifecycle::{self, Ended, Lost};
use tareas_core::{Ending, Jitter, Phase, Place, Rejected, Task, Timestamp};

/// Far beyond every deadline, due time and expiry of the states that are tried.
const LATE: Timestamp = Timestamp::from_millis(NOW.as_millis() + 1_000_000_000);

/// Where a task went: `Ok(None)` when it was removed.
type Went = Result<Option<Phase>, Rejected>;

fn stays(mut task: Task, event: impl FnOnce(&mut Task) -> Result<Ended, Rejected>) -> Went {
    event(&mut task).map(|_| Some(task.phase()))
}

/// Everything that can happen by one row of the table, tried on one task.
fn tried(number: u8, task: &Task) -> Vec<Went> {
    let settled = |ending: Ending| {
        let fence = fence(task);
        stays(task.clone(), |task| {
            lifecycle::settle(task, fence, &ending, Jitter(9), LATE)
        })
    };
    let at = |event: &dyn Fn(&mut Task) -> Result<Ended, Rejected>| stays(task.clone(), event);
    let place = Place(LATE.as_micros());
    match number {
        2 => vec![at(&|task| lifecycle::due(task, LATE, place))],
        3 => vec![at(&|task| lifecycle::claim(task, &claim_by(task), NOW))],
        4 => vec![settled(Ending::Succeeded(result("1")))],
        5 | 6 => vec![settled(failed()), settled(retryable())],
        7 => [true, false]
            .map(|was_started| {
                let lost = Lost {
                    session: SESSION,
                    was_started,
                    worker: None,
                };
                at(&|task| lifecycle::lose(task, lost, Jitter(9), LATE))
            })
            .to_vec(),
        8 => vec![at(&|task| {
            lifecycle::overdue(task, task.attempt, None, Jitter(9), LATE)
        })],
        9 => vec![settled(Ending::Released)],
        10 => vec![at(&|task| lifecycle::cancel(task, LATE))],
        11 => vec![at(&|task| lifecycle::expire(task, LATE))],
        12 => vec![at(&|task| lifecycle::requeue(task, place))],
        13 if lifecycle::may_prune(task, LATE) => vec![Ok(None)],
        13 => vec![Err(Rejected::WrongState {
            phase: task.phase(),
        })],
        14 => vec![lifecycle::delete(task).map(|()| None)],
        other => panic!("T{other} has no event"),
    }
}

/// Where the table says that this goes. A failure has two rows: whether a retry is left decides.
fn told(number: u8) -> BTreeSet<Phase> {
    let is_same = |other: u8| other == number || matches!((other, number), (5, 6) | (6, 5));
    let rows = TRANSITIONS.iter().filter(|row| is_same(row.number));
    rows.flat_map(|row| row.to).copied().collect()
}

#[test]
fn every_event_on_every_state_goes_where_the_table_says() {
    for transition in &TRANSITIONS[1..] {
        let name = transition.name();
        let mut reached = BTreeSet::new();
        for task in one_of_each_state() {
            let is_allowed = transition.from.contains(&task.phase());
            for went in tried(transition.number, &task) {
                assert_eq!(went.is_ok(), is_allowed, "{name} on {task:?}: {went:?}");
                reached.extend(went.ok().flatten());
            }
        }
        assert_eq!(reached, told(transition.number), "{name}");
    }
}

#[test]
fn only_the_holder_of_a_lease_can_answer_a_cancel_request() {
    for task in one_of_each_state() {
        let fence = fence(&task);
        let went = stays(task.clone(), |task| {
            lifecycle::settle(task, fence, &Ending::Cancelled, Jitter(9), LATE)
        });
        assert_eq!(went.ok(), task.lease().map(|_| Some(Phase::Cancelled)));
    }
}

#[test]
fn a_submission_is_scheduled_or_queued() {
    let reached: Vec<Phase> = [None, Some(NOW), Some(later(1))]
        .into_iter()
        .map(|due_at| lifecycle::submit(&given::new_task(1, due_at), NOW, Place(1)).phase())
        .collect();
    assert_eq!(reached, [Phase::Queued, Phase::Queued, Phase::Scheduled]);
    assert!(TRANSITIONS[0].from.is_empty());
    assert!(
        reached
            .iter()
            .all(|phase| TRANSITIONS[0].to.contains(phase))
    );
}

#[test]
fn a_task_is_pruned_after_its_retention_only() {
    for task in one_of_each_state() {
        let kept = task.prune_at().map(|at| at - Duration::from_micros(1));
        assert!(kept.is_none_or(|at| !lifecycle::may_prune(&task, at)));
    }
}

#[test]
fn every_function_of_the_table_is_in_the_source() {
    let source = include_str!("../src/lifecycle.rs");
    for (index, transition) in TRANSITIONS.iter().enumerate() {
        assert_eq!(usize::from(transition.number), index + 1);
        let function = format!("pub fn {}(", transition.function);
        assert!(source.contains(&function), "{function}");
    }
}

#[test]
fn the_document_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lifecycle.md");
    let fresh = diagram::document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == fresh,
        "docs/lifecycle.md is out of date: run with UPDATE_DOCS=1"
    );
}
