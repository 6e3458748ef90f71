//! Who is next.

use std::sync::Arc;

use tareas_core::{
    Batch, Command, Ending, Jitter, Kind, Options, Phase, Place, Priority, QueueName, Rejected,
    Spec, Sweep, Task, TaskId, Token, Want,
};

use super::given::{
    NOW, SESSION, accepted, all_durable, cancel, claim, done, id, lane, later, line, line_of,
    queue, refused, requeue, settle, spec, started, submit, with_options,
};
use super::{FreshRecords, Store};

async fn submit_with_priority(store: &dyn Store, number: u128, priority: u8) {
    let priority = Priority::new(priority).expect("0 to 9");
    done(
        store,
        submit(Spec {
            priority,
            ..spec(number)
        }),
    )
    .await;
}

/// Claims as many as there are tokens, from these queues.
async fn claim_next(store: &dyn Store, queues: Vec<QueueName>, tokens: u128) -> Vec<Task> {
    claim_wanted(store, wanted(queues, tokens)).await
}

/// As many as there are tokens, from these queues.
fn wanted(queues: Vec<QueueName>, tokens: u128) -> Want {
    let tokens = (0..tokens).map(|number| Some(Token::new(900 + number)));
    Want {
        queues,
        kinds: None,
        labels: None,
        session: SESSION,
        tokens: tokens.collect(),
        now: NOW,
    }
}

async fn claim_wanted(store: &dyn Store, want: Want) -> Vec<Task> {
    let applied = store.claim_next(want).await.expect("the store is there");
    applied
        .outcomes
        .iter()
        .filter_map(|outcome| outcome.task().cloned())
        .collect()
}

fn running(tasks: &[Task]) -> Vec<TaskId> {
    tasks
        .iter()
        .filter(|task| task.phase() == Phase::Running)
        .map(Task::id)
        .collect()
}

/// First come, first served; and a line may be read in parts.
pub async fn a_line_is_in_the_order_of_acceptance(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let numbers = [5, 3, 9, 1, 7, 2];
    for (order, number) in numbers.into_iter().enumerate() {
        accepted(&*store, number).await;
        if order == 2 {
            all_durable(&*store).await;
        }
    }
    assert_eq!(line(&*store).await, numbers.map(id));
    let lane = lane("default", Priority::default());
    let (mut after, mut read) = (Place::START, Vec::new());
    loop {
        let hints = store.ready(&lane, after, 4).await.unwrap();
        let Some(last) = hints.last() else { break };
        after = last.place;
        read.extend(hints.iter().map(|hint| hint.task));
    }
    assert_eq!(read, numbers.map(id));
}

/// T9 gives the place back, from wherever the line was read meanwhile.
pub async fn a_released_task_keeps_its_place(fresh: &FreshRecords) {
    let store = fresh.open().await;
    for number in 1..=3 {
        accepted(&*store, number).await;
    }
    for is_on_disk in [false, true] {
        let attempt = u64::from(is_on_disk);
        let task = done(&*store, claim(id(2), attempt)).await;
        assert_eq!(line(&*store).await, [id(1), id(3)]);
        if is_on_disk {
            all_durable(&*store).await;
        }
        done(&*store, settle(&task, Ending::Released)).await;
        assert_eq!(line(&*store).await, [id(1), id(2), id(3)]);
    }
}

/// T12 gives a fresh place.
pub async fn a_requeued_task_goes_to_the_end_of_the_line(fresh: &FreshRecords) {
    let store = fresh.open().await;
    for number in 1..=3 {
        accepted(&*store, number).await;
    }
    done(&*store, cancel(id(1))).await;
    all_durable(&*store).await;
    done(&*store, requeue(id(1))).await;
    assert_eq!(line(&*store).await, [id(2), id(3), id(1)]);
}

/// The urgent first, then who came first; of several queues, too.
pub async fn claim_next_goes_by_priority_then_place(fresh: &FreshRecords) {
    let store = fresh.open().await;
    for (number, priority) in [(1, 1), (2, 9), (3, 5), (4, 9), (5, 5), (6, 1)] {
        submit_with_priority(&*store, number, priority).await;
        if number == 3 {
            all_durable(&*store).await;
        }
    }
    let default = vec![QueueName::default()];
    let claimed = claim_next(&*store, default.clone(), 3).await;
    assert_eq!(running(&claimed), [2, 4, 3].map(id));
    let claimed = claim_next(&*store, default, 9).await;
    assert_eq!(running(&claimed), [5, 1, 6].map(id));
    let priority = Priority::HIGHEST;
    done(
        &*store,
        submit(Spec {
            queue: queue("b"),
            priority,
            ..spec(7)
        }),
    )
    .await;
    done(
        &*store,
        submit(Spec {
            queue: queue("a"),
            ..spec(8)
        }),
    )
    .await;
    done(
        &*store,
        submit(Spec {
            queue: queue("c"),
            ..spec(9)
        }),
    )
    .await;
    let claimed = claim_next(&*store, vec![queue("a"), queue("b")], 9).await;
    assert_eq!(
        running(&claimed),
        [7, 8].map(id),
        "and nothing of a queue that was not named"
    );
}

/// What a pool has no handler for is passed over, however much of it comes first.
pub async fn claim_next_passes_over_other_kinds(fresh: &FreshRecords) {
    let store = fresh.open().await;
    for number in 1..=40 {
        let other = Kind::new("mail").expect("a valid name");
        let kind = if number % 20 == 0 {
            spec(number).kind
        } else {
            other
        };
        let spec = Spec {
            kind,
            ..spec(number)
        };
        done(&*store, submit(spec)).await;
    }
    all_durable(&*store).await;
    let of = |kinds: &[&str]| {
        let kinds = kinds
            .iter()
            .map(|kind| Kind::new(kind).expect("a valid name"));
        Want {
            kinds: Some(Arc::new(kinds.collect())),
            ..wanted(vec![QueueName::default()], 3)
        }
    };
    assert!(claim_wanted(&*store, of(&[])).await.is_empty());
    let claimed = claim_wanted(&*store, of(&["square", "sleep"])).await;
    assert_eq!(running(&claimed), [20, 40].map(id));
    let claimed = claim_wanted(&*store, of(&["mail"])).await;
    assert_eq!(running(&claimed), [1, 2, 3].map(id));
}

/// So is what requires labels that the pool does not have.
pub async fn claim_next_passes_over_other_labels(fresh: &FreshRecords) {
    let store = fresh.open().await;
    for number in 1..=12 {
        let requires = match number % 6 {
            0 => Vec::new(),
            _ => vec!["gpu".into()],
        };
        let options = Options {
            requires,
            ..Options::default()
        };
        let spec = Spec {
            options: Some(Box::new(options)),
            ..spec(number)
        };
        done(&*store, submit(spec)).await;
    }
    all_durable(&*store).await;
    let with = |labels: &[&str]| Want {
        labels: Some(Arc::new(labels.iter().copied().map(Into::into).collect())),
        ..wanted(vec![QueueName::default()], 3)
    };
    let claimed = claim_wanted(&*store, with(&["large"])).await;
    assert_eq!(running(&claimed), [6, 12].map(id));
    let claimed = claim_wanted(&*store, with(&["gpu", "large"])).await;
    assert_eq!(running(&claimed), [1, 2, 3].map(id));
}

/// One start per token, with that token.
pub async fn claim_next_claims_no_more_than_there_are_tokens(fresh: &FreshRecords) {
    let store = fresh.open().await;
    for number in 1..=4 {
        accepted(&*store, number).await;
    }
    assert!(
        claim_next(&*store, vec![QueueName::default()], 0)
            .await
            .is_empty()
    );
    let claimed = claim_next(&*store, vec![QueueName::default()], 3).await;
    let mut tokens: Vec<_> = claimed
        .iter()
        .map(|task| task.lease().unwrap().token)
        .collect();
    tokens.sort_by_key(|token| token.map(tareas_core::Token::bits));
    assert_eq!(tokens, [900, 901, 902].map(|token| Some(Token::new(token))));
    assert!(
        claimed
            .iter()
            .all(|task| task.lease().unwrap().session == SESSION)
    );
    assert_eq!(line(&*store).await, [id(4)]);
}

/// What has killed an executor is claimed by name only.
pub async fn claim_next_leaves_suspects_to_their_lane(fresh: &FreshRecords) {
    let store = fresh.open().await;
    started(&*store, 1).await;
    all_durable(&*store).await;
    store
        .sweep(
            Sweep::Reclaim {
                session: SESSION,
                slots: 1,
                worker: None,
            },
            NOW,
            9,
        )
        .await
        .unwrap();
    store.sweep(Sweep::Due, later(60), 9).await.unwrap();
    accepted(&*store, 2).await;
    let hints = store
        .ready(&lane("default", Priority::default()), Place::START, 9)
        .await
        .unwrap();
    let suspects: Vec<bool> = hints.iter().map(|hint| hint.suspect).collect();
    assert_eq!(
        suspects.iter().filter(|suspect| **suspect).count(),
        1,
        "{hints:?}"
    );
    let claimed = claim_next(&*store, vec![QueueName::default()], 9).await;
    assert_eq!(running(&claimed), [id(2)]);
    assert_eq!(line(&*store).await, [id(1)]);
    assert_eq!(done(&*store, claim(id(1), 1)).await.attempt, 2);
}

/// T11 is decided again inside the claim, and costs no token.
pub async fn claim_next_ends_what_has_expired(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let options = Options {
        expires_at: Some(NOW),
        ..Options::default()
    };
    done(&*store, submit(with_options(1, options))).await;
    accepted(&*store, 2).await;
    let claimed = claim_next(&*store, vec![QueueName::default()], 1).await;
    assert_eq!(running(&claimed), [id(2)]);
    assert!(line(&*store).await.is_empty());
}

/// A paused queue accepts, orders and settles, but starts nothing.
pub async fn a_paused_queue_is_not_claimed(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let task = started(&*store, 1).await;
    let position = store.pause(&QueueName::default(), true).await.unwrap();
    assert!(store.load(&[]).await.unwrap().1 >= position);
    accepted(&*store, 2).await;
    assert_eq!(refused(&*store, claim(id(2), 0)).await, Rejected::Paused);
    assert!(
        claim_next(&*store, vec![QueueName::default()], 9)
            .await
            .is_empty()
    );
    done(&*store, settle(&task, Ending::Released)).await;
    assert_eq!(line(&*store).await, [id(1), id(2)]);
    assert_eq!(store.queues().get(&QueueName::default()), Some(&true));
    let other = Spec {
        queue: queue("other"),
        ..spec(3)
    };
    done(&*store, submit(other)).await;
    done(&*store, claim(id(3), 0)).await;
    store.pause(&QueueName::default(), false).await.unwrap();
    assert_eq!(store.queues().get(&QueueName::default()), Some(&false));
    done(&*store, claim(id(2), 0)).await;
    assert_eq!(
        line_of(&*store, &lane("default", Priority::default())).await,
        [id(1)]
    );
    // What is asked about a running attempt does not depend on the queue.
    let overdue = Command::Overdue {
        task: id(2),
        attempt: 1,
        jitter: Jitter(0),
        ran_by: None,
    };
    let batch = Batch {
        now: later(600),
        commands: vec![overdue],
    };
    assert!(
        store.apply(batch).await.unwrap().outcomes[0]
            .task()
            .is_some()
    );
}
