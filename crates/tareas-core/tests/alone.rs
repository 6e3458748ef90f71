//! A command that is decided for a task alone comes to what a ledger with that task comes to.

mod given;

use given::{NOW, batch, cancel, claim, delete, failed, later, one_of_each_state, requeue, settle};
use tareas_core::ledger::alone::{self, Verdict};
use tareas_core::ledger::{Config, Stored};
use tareas_core::{Command, Ending, Jitter, Ledger, Outcome, Place, Task};

fn commands_for(task: &Task) -> Vec<Command> {
    let overdue = |attempt| Command::Overdue {
        task: task.id(),
        attempt,
        ran_by: None,
        jitter: Jitter(0),
    };
    vec![
        claim(task.id(), task.attempt),
        settle(task.id(), task.attempt, Ending::Released),
        settle(task.id(), task.attempt, failed()),
        settle(task.id(), task.attempt + 1, failed()),
        overdue(task.attempt),
        overdue(task.attempt + 1),
        cancel(task.id()),
        requeue(task.id()),
        delete(task.id()),
    ]
}

fn by_ledger(task: &Task, command: &Command) -> Outcome {
    let mut ledger = Ledger::new(Config::default());
    ledger.install(vec![Stored {
        seq: 1,
        task: task.clone(),
    }]);
    let mut applied = ledger.decide(&batch(later(2), [command.clone()]));
    applied.outcomes.remove(0)
}

#[test]
fn it_is_what_a_ledger_decides() {
    for task in one_of_each_state() {
        for command in commands_for(&task) {
            let mut alone = task.clone();
            let verdict = alone::decide(&mut alone, &command, later(2));
            assert_eq!(verdict.is_some(), alone::can_decide(&command));
            let same = match (verdict, by_ledger(&task, &command)) {
                (None, _) => true,
                (Some(Verdict::Done(_)), Outcome::Done(decided)) => alone == decided,
                (Some(Verdict::Already), Outcome::Already(found)) => found == task,
                (Some(Verdict::Refused(one)), Outcome::Refused(other)) => one == other,
                _ => false,
            };
            assert!(same, "{command:?} of {task:?}");
            assert!(alone == task || alone.version == task.version + 1);
        }
    }
}

#[test]
fn a_new_task_is_what_a_ledger_accepts() {
    let new = given::new_task(1, None);
    let mut ledger = Ledger::new(Config::default());
    let applied = ledger.decide(&batch(NOW, [Command::Submit(new.clone())]));
    let place = Place(NOW.as_micros());
    let accepted = alone::submit(&new, NOW, place).unwrap();
    assert_eq!(applied.outcomes[0].task(), Some(&accepted));
}
