//! Tasks and commands to start from.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tareas_core::{
    Actor, Applied, Attempt, Batch, Body, Cause, Command, Ending, Failure, Fence, Jitter, Kind,
    Lane, NewTask, Options, Outcome, Place, Position, Priority, ProcessEnd, QueueName, RanBy,
    Rejected, SessionId, Spec, State, Task, TaskId, Timestamp, Token,
};

use super::Store;
use crate::ports::{Page, TaskQuery};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
pub(crate) const SESSION: SessionId = SessionId(7);

pub(crate) fn later(seconds: u64) -> Timestamp {
    NOW + Duration::from_secs(seconds)
}

pub(crate) fn id(number: u128) -> TaskId {
    TaskId::v7(NOW, number)
}

/// The token of the given start of a task: no two are the same.
pub(crate) fn token(task: TaskId, attempt: u64) -> Option<Token> {
    Some(Token::new(task.as_u128() ^ (u128::from(attempt) << 64)))
}

pub(crate) fn text(text: &str) -> Body {
    Body::Inline(Bytes::copy_from_slice(text.as_bytes()))
}

pub(crate) fn queue(name: &str) -> QueueName {
    QueueName::new(name).expect("a valid name")
}

pub(crate) fn spec(number: u128) -> Spec {
    Spec {
        id: id(number),
        kind: Kind::new("square").expect("a valid name"),
        queue: QueueName::default(),
        priority: Priority::default(),
        payload: text(r#"{"n":5}"#),
        submitted_at: NOW,
        options: None,
    }
}

pub(crate) fn with_options(number: u128, options: Options) -> Spec {
    Spec {
        options: Some(Box::new(options)),
        ..spec(number)
    }
}

pub(crate) fn keyed(number: u128, key: &str) -> Spec {
    with_options(
        number,
        Options {
            idempotency_key: Some(key.into()),
            ..Options::default()
        },
    )
}

/// A submission whose id the client chose.
pub(crate) fn submit(spec: Spec) -> Command {
    Command::Submit(NewTask {
        spec: Arc::new(spec),
        due_at: None,
        id_is_fresh: false,
        quick: false,
    })
}

pub(crate) fn submit_due(number: u128, due_at: Timestamp) -> Command {
    let spec = Arc::new(spec(number));
    Command::Submit(NewTask {
        spec,
        due_at: Some(due_at),
        id_is_fresh: false,
        quick: false,
    })
}

pub(crate) fn claim(task: TaskId, expected_attempt: u64) -> Command {
    let token = token(task, expected_attempt + 1);
    Command::Claim {
        task,
        expected_attempt,
        session: SESSION,
        token,
    }
}

pub(crate) fn settle(task: &Task, ending: Ending) -> Command {
    let fence = Fence {
        attempt: task.attempt,
        token: task.lease().and_then(|l| l.token),
    };
    Command::Settle {
        task: task.id(),
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

pub(crate) fn success() -> Ending {
    Ending::Succeeded(text("25"))
}

pub(crate) fn failure(message: &str) -> Arc<Failure> {
    Arc::new(Failure {
        cause: Cause::Handler,
        name: Some("ValueError".to_owned()),
        message: message.to_owned(),
        backtrace: Some("at line 1\nat line 2".to_owned()),
        ran_by: Some(RanBy {
            worker: "w1".to_owned(),
            thread: Some(2),
        }),
        process_end: Some(ProcessEnd::Signal(9)),
    })
}

/// A failure that may be tried again at once, or that may not.
pub(crate) fn failed(message: &str, retryable: bool) -> Ending {
    let retry_after = retryable.then_some(Duration::ZERO);
    Ending::Failed {
        failure: failure(message),
        retryable,
        retry_after,
    }
}

pub(crate) async fn apply_at(store: &dyn Store, now: Timestamp, commands: Vec<Command>) -> Applied {
    let expected = commands.len();
    let applied = store
        .apply(Batch { now, commands })
        .await
        .expect("the store is there");
    assert_eq!(applied.outcomes.len(), expected, "one outcome per command");
    applied
}

pub(crate) async fn one(store: &dyn Store, command: Command) -> Outcome {
    apply_at(store, NOW, vec![command]).await.outcomes.remove(0)
}

/// Applies one command that must be done. A claim that comes too early is made again.
pub(crate) async fn done(store: &dyn Store, command: Command) -> Task {
    loop {
        match one(store, command.clone()).await {
            Outcome::Done(task) => return task,
            Outcome::Refused(Rejected::Undurable { until }) => until_durable(store, until).await,
            other => panic!("{command:?} gave {other:?}"),
        }
    }
}

pub(crate) async fn refused(store: &dyn Store, command: Command) -> Rejected {
    match one(store, command.clone()).await {
        Outcome::Refused(rejected) => rejected,
        other => panic!("{command:?} gave {other:?}"),
    }
}

pub(crate) async fn accepted(store: &dyn Store, number: u128) -> Task {
    done(store, submit(spec(number))).await
}

/// A task that runs.
pub(crate) async fn started(store: &dyn Store, number: u128) -> Task {
    accepted(store, number).await;
    done(store, claim(id(number), 0)).await
}

/// Waits until everything at or below `position` is durable.
pub(crate) async fn until_durable(store: &dyn Store, position: Position) {
    let mut durable = store.durable();
    while durable < position {
        durable = store
            .durable_after(durable)
            .await
            .expect("the store goes on");
    }
}

/// Waits until everything decided so far is durable.
pub(crate) async fn all_durable(store: &dyn Store) {
    let (_, position) = store.load(&[]).await.expect("the store is there");
    until_durable(store, position).await;
}

pub(crate) async fn load(store: &dyn Store, id: TaskId) -> Option<Task> {
    let (mut tasks, _) = store.load(&[id]).await.expect("the store is there");
    assert_eq!(tasks.len(), 1);
    tasks.remove(0)
}

pub(crate) async fn attempts(store: &dyn Store, id: TaskId) -> Vec<Attempt> {
    store.attempts(id).await.expect("the store is there")
}

pub(crate) async fn page(store: &dyn Store, query: &TaskQuery) -> Page {
    let page = store.page(query).await.expect("the store is there");
    assert!(page.tasks.len() <= query.limit);
    page
}

/// All tasks that a query finds, page by page.
pub(crate) async fn pages(store: &dyn Store, mut query: TaskQuery) -> Vec<Task> {
    let mut found = Vec::new();
    loop {
        let page = page(store, &query).await;
        found.extend(page.tasks);
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return found,
        }
    }
}

pub(crate) fn lane(queue_name: &str, priority: Priority) -> Lane {
    Lane {
        queue: queue(queue_name),
        priority,
    }
}

/// Ids of one lane, in line.
pub(crate) async fn line_of(store: &dyn Store, lane: &Lane) -> Vec<TaskId> {
    let hints = store
        .ready(lane, Place::START, 1_000)
        .await
        .expect("the store is there");
    assert!(
        hints.is_sorted_by(|one, next| one.place < next.place),
        "in order, once each"
    );
    hints.into_iter().map(|hint| hint.task).collect()
}

/// Ids of the default lane, in line.
pub(crate) async fn line(store: &dyn Store) -> Vec<TaskId> {
    line_of(store, &lane("default", Priority::default())).await
}

/// The task without its place: stores may number places in their own way.
pub(crate) fn without_place(task: &Task) -> Task {
    let mut task = task.clone();
    match &mut task.state {
        State::Queued { place } => *place = Place::START,
        State::Running(lease) => lease.place = Place::START,
        _ => {}
    }
    task
}
