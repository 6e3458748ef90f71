//! Tasks to start from, for tests.

#![expect(dead_code, reason = "each test file uses its own part of this")]
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tareas_core::lifecycle::{self, Claim};
use tareas_core::{
    Actor, Batch, Body, Cause, Command, Ending, Failure, Fence, Jitter, Kind, Lane, Ledger,
    NewTask, Options, Place, Priority, QueueName, Reason, SessionId, Spec, State, Task, TaskId,
    Timestamp, Token,
};

/// When everything happens, unless a test says otherwise.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// Who runs everything, unless a test says otherwise.
pub(crate) const SESSION: SessionId = SessionId(7);
/// The token of every claim, unless a test says otherwise.
pub(crate) const TOKEN: Option<Token> = Some(Token::new(42));

pub(crate) fn later(seconds: u64) -> Timestamp {
    NOW + Duration::from_secs(seconds)
}

pub(crate) fn id(number: u128) -> TaskId {
    TaskId::v7(NOW, number)
}

pub(crate) fn result(text: &str) -> Body {
    Body::Inline(Bytes::copy_from_slice(text.as_bytes()))
}

pub(crate) fn spec(number: u128) -> Spec {
    Spec {
        id: id(number),
        kind: Kind::new("square").unwrap(),
        queue: QueueName::default(),
        priority: Priority::default(),
        payload: result(r#"{"n":5}"#),
        submitted_at: NOW,
        options: None,
    }
}

pub(crate) fn new_task(number: u128, due_at: Option<Timestamp>) -> NewTask {
    NewTask {
        spec: Arc::new(spec(number)),
        due_at,
        id_is_fresh: true,
        quick: false,
    }
}

/// A submission with options; its id was chosen by the client.
pub(crate) fn with_options(number: u128, options: Options) -> NewTask {
    let spec = Spec {
        options: Some(Box::new(options)),
        ..spec(number)
    };
    NewTask {
        spec: Arc::new(spec),
        due_at: None,
        id_is_fresh: false,
        quick: false,
    }
}

pub(crate) fn keyed(number: u128, key: &str) -> NewTask {
    with_options(
        number,
        Options {
            idempotency_key: Some(key.into()),
            ..Options::default()
        },
    )
}

pub(crate) fn queued(number: u128) -> Task {
    lifecycle::submit(&new_task(number, None), NOW, Place(number as i64))
}

pub(crate) fn running(number: u128) -> Task {
    claimed(queued(number))
}

pub(crate) fn claimed(mut task: Task) -> Task {
    let claim = claim_by(&task);
    lifecycle::claim(&mut task, &claim, NOW).unwrap();
    task
}

/// The claim that a pool makes of this task.
pub(crate) fn claim_by(task: &Task) -> Claim {
    Claim {
        expected_attempt: task.attempt,
        session: SESSION,
        token: TOKEN,
        gap: 0,
    }
}

/// What the holder of the last claim shows.
pub(crate) fn fence(task: &Task) -> Fence {
    Fence {
        attempt: task.attempt,
        token: TOKEN,
    }
}

pub(crate) fn failure() -> Arc<Failure> {
    let message = "no such file".to_owned();
    Arc::new(Failure {
        cause: Cause::Handler,
        name: None,
        message,
        backtrace: None,
        ran_by: None,
        process_end: None,
    })
}

/// An ending after which trying again cannot help.
pub(crate) fn failed() -> Ending {
    Ending::Failed {
        failure: failure(),
        retryable: false,
        retry_after: None,
    }
}

pub(crate) fn retryable() -> Ending {
    Ending::Failed {
        failure: failure(),
        retryable: true,
        retry_after: None,
    }
}

pub(crate) fn settled(mut task: Task, ending: Ending) -> Task {
    let fence = fence(&task);
    lifecycle::settle(&mut task, fence, &ending, Jitter(u32::MAX), later(1)).unwrap();
    task
}

/// Tasks in every state, and of the running ones every kind that may end in another way. They
/// should be started within ten seconds.
pub(crate) fn one_of_each_state() -> Vec<Task> {
    let options = Options {
        expires_at: Some(later(10)),
        ..Options::default()
    };
    let queued = lifecycle::submit(&with_options(1, options), NOW, Place(1));
    let scheduled = Task {
        state: State::Scheduled { due_at: later(1) },
        ..queued.clone()
    };
    let running = claimed(queued.clone());
    let asked = Task {
        cancel_requested: true,
        ..running.clone()
    };
    let twice_lost = Task {
        crashes: 2,
        ..running.clone()
    };
    let last_chance = Task {
        charged: 4,
        ..running.clone()
    };
    let ended = |state| Task {
        state,
        finished_at: Some(later(1)),
        ..running.clone()
    };
    let mut tasks = vec![
        scheduled,
        queued,
        running.clone(),
        asked,
        twice_lost,
        last_chance,
    ];
    tasks.push(settled(running.clone(), Ending::Succeeded(result("25"))));
    tasks.extend(
        Reason::ALL[..4]
            .iter()
            .map(|reason| ended(State::Failed(*reason))),
    );
    tasks.extend(
        Reason::ALL[4..]
            .iter()
            .map(|reason| ended(State::Cancelled(*reason))),
    );
    tasks
}

pub(crate) fn batch(now: Timestamp, commands: impl IntoIterator<Item = Command>) -> Batch {
    Batch {
        now,
        commands: commands.into_iter().collect(),
    }
}

pub(crate) fn claim(task: TaskId, expected_attempt: u64) -> Command {
    Command::Claim {
        task,
        expected_attempt,
        session: SESSION,
        token: TOKEN,
    }
}

pub(crate) fn settle(task: TaskId, attempt: u64, ending: Ending) -> Command {
    let fence = Fence {
        attempt,
        token: TOKEN,
    };
    Command::Settle {
        task,
        fence,
        ending,
        jitter: Jitter(0),
    }
}

pub(crate) fn cancel(task: TaskId) -> Command {
    Command::Cancel {
        task,
        by: Actor::System,
        only: None,
    }
}

pub(crate) fn requeue(task: TaskId) -> Command {
    Command::Requeue {
        task,
        by: Actor::System,
        only: None,
    }
}

pub(crate) fn delete(task: TaskId) -> Command {
    Command::Delete {
        task,
        by: Actor::System,
        only: None,
    }
}

pub(crate) fn default_lane() -> Lane {
    Lane {
        queue: QueueName::default(),
        priority: Priority::default(),
    }
}

/// Ids of a lane, in line.
pub(crate) fn line(ledger: &Ledger) -> Vec<TaskId> {
    let hints = ledger.ready(&default_lane(), Place::START, usize::MAX);
    hints.into_iter().map(|hint| hint.task).collect()
}
