//! What every adapter of the `WebhookRecords` port keeps.

use std::time::Duration;

use tareas_core::{Kind, Phase, TaskId, Timestamp};

use super::Fresh;
use crate::access::QueueScope;
use crate::ports::{EndMark, PortError, WebhookRecords};
use crate::webhooks::{
    Delivery, DeliveryPhase, DeliveryQuery, Disabled, Made, Message, NewDelivery, SECRET_BYTES,
    SEED_BYTES, Settled, Settlement, Webhook, WebhookId, WebhookSecret, Wish,
};

/// A database, or the like, for one clause.
pub type FreshWebhooks = dyn Fresh<dyn WebhookRecords>;

/// Whether a clause must be skipped: see [`Fresh::is_absent`].
pub fn is_absent(fresh: &FreshWebhooks) -> bool {
    fresh.is_absent()
}

/// Every clause of the `WebhookRecords` contract, as one test each.
#[macro_export]
macro_rules! webhooks_contract {
    ($fresh:expr) => {
        $crate::clauses! { webhooks, $fresh;
        where_there_is_no_webhook_there_is_nothing,
        a_webhook_comes_back_as_it_was,
        an_id_is_given_once,
        of_two_changes_of_one_version_one_is_written,
        what_is_removed_goes_with_its_deliveries,
        a_delivery_is_recorded_once,
        of_several_callers_one_gets_each_delivery,
        a_claim_that_has_run_out_is_given_to_the_next,
        what_became_of_a_delivery_is_written_down,
        whoever_lost_a_claim_writes_nothing,
        deliveries_are_listed_from_the_newest,
        what_has_ended_can_be_made_again,
        old_deliveries_go_and_waiting_ones_stay,
        it_is_known_who_is_behind,
        marks_are_set_and_removed_as_they_were_read,
        }
    };
}

/// What holds across restarts, for adapters that survive them.
#[macro_export]
macro_rules! webhooks_restart_contract {
    ($fresh:expr) => {
        $crate::clauses! { webhooks, $fresh;
        webhooks_deliveries_and_marks_are_there_after_a_restart,
        }
    };
}

const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);

fn later(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

fn webhook(number: u8) -> Webhook {
    let wish = Wish {
        name: format!("añadido-{number}").into(),
        url: format!("https://example.org/{number}?a=b").into(),
        queues: QueueScope::parse("mail*,default").unwrap(),
        kinds: vec![
            Kind::new("mail.send").unwrap(),
            Kind::new("square").unwrap(),
        ],
        ends: vec![Phase::Succeeded, Phase::Failed],
    };
    Webhook::new(&[number; SEED_BYTES], wish, "ops (abcd1234)".into(), START)
}

fn delivery(webhook: &Webhook, number: u64) -> NewDelivery {
    NewDelivery {
        webhook: webhook.id.clone(),
        message: Message {
            id: format!("msg_{number}").into(),
            event: "task.succeeded".into(),
            task: (number % 2 == 1).then(|| TaskId::from_u128(number.into())),
            body: format!("{{\"n\":{number},\"ñ\":\"ü\"}}"),
        },
        made_at: later(number),
    }
}

fn made(status: Option<u16>) -> Made {
    Made {
        at: later(50),
        took: Duration::from_micros(1_234),
        status,
        answer: "sí".to_owned(),
    }
}

fn of(webhook: &Webhook) -> DeliveryQuery {
    DeliveryQuery {
        webhook: Some(webhook.id.clone()),
        limit: 100,
        ..DeliveryQuery::default()
    }
}

/// A store with one webhook and its deliveries `1..=count`.
async fn with(fresh: &FreshWebhooks, count: u64) -> (std::sync::Arc<dyn WebhookRecords>, Webhook) {
    let (store, webhook) = (fresh.open().await, webhook(1));
    store.add(&webhook).await.unwrap();
    let deliveries: Vec<NewDelivery> = (1..=count).map(|n| delivery(&webhook, n)).collect();
    store.record(&deliveries).await.unwrap();
    (store, webhook)
}

async fn claim(
    store: &dyn WebhookRecords,
    id: &WebhookId,
    now: Timestamp,
    limit: usize,
) -> Vec<Delivery> {
    store.claim(id, now, now + MINUTE, limit).await.unwrap()
}

async fn settle(store: &dyn WebhookRecords, delivery: &Delivery, settled: Settled) {
    let (number, due_at) = (delivery.number, delivery.due_at);
    let settlement = Settlement {
        number,
        due_at,
        settled,
    };
    store.settle(&[settlement]).await.unwrap();
}

/// An empty store answers.
pub async fn where_there_is_no_webhook_there_is_nothing(fresh: &FreshWebhooks) {
    let (store, absent) = (fresh.open().await, webhook(1));
    assert!(store.webhooks().await.unwrap().is_empty());
    assert!(store.marks().await.unwrap().is_empty());
    assert!(store.deliveries(&of(&absent)).await.unwrap().is_empty());
    assert!(claim(&*store, &absent.id, later(99), 9).await.is_empty());
    assert!(!store.replay(1, START).await.unwrap());
    assert!(!store.remove(&absent.id).await.unwrap());
    assert_eq!(store.prune(later(99), 0, 9).await.unwrap(), 0);
}

/// What was stored comes back, the rarely used fields included.
pub async fn a_webhook_comes_back_as_it_was(fresh: &FreshWebhooks) {
    let store = fresh.open().await;
    let old = (WebhookSecret::new([9; SECRET_BYTES]), later(3));
    let mut full = webhook(2);
    full.secrets.previous = Some(old);
    full.disabled = Some((Disabled::Failing, later(4)));
    full.failing_since = Some(later(2));
    full.last_error = "HTTP 500 ñ".into();
    for one in [&full, &webhook(1)] {
        store.add(one).await.unwrap();
    }
    let mut given = vec![full, webhook(1)];
    given.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(store.webhooks().await.unwrap(), given);
}

/// A second webhook under one id is refused and changes nothing.
pub async fn an_id_is_given_once(fresh: &FreshWebhooks) {
    let store = fresh.open().await;
    store.add(&webhook(1)).await.unwrap();
    let mut other = webhook(1);
    other.created_by = "somebody else".into();
    let refused = store.add(&other).await;
    assert!(
        matches!(refused, Err(PortError::Conflict { .. })),
        "{refused:?}"
    );
    assert_eq!(store.webhooks().await.unwrap(), [webhook(1)]);
}

/// Nobody overwrites a change that they have not seen.
pub async fn of_two_changes_of_one_version_one_is_written(fresh: &FreshWebhooks) {
    let (store, first) = with(fresh, 0).await;
    let change = |name: &str| {
        let mut changed = first.clone();
        changed.version = 2;
        changed.wish.name = name.into();
        changed
    };
    assert!(store.replace(&change("one")).await.unwrap());
    assert!(!store.replace(&change("two")).await.unwrap());
    let mut absent = webhook(7);
    absent.version = 2;
    assert!(!store.replace(&absent).await.unwrap());
    assert_eq!(store.webhooks().await.unwrap(), [change("one")]);
}

/// Nothing stays of a webhook; another one keeps what it has.
pub async fn what_is_removed_goes_with_its_deliveries(fresh: &FreshWebhooks) {
    let (store, first) = with(fresh, 2).await;
    let other = webhook(2);
    store.add(&other).await.unwrap();
    store.record(&[delivery(&other, 1)]).await.unwrap();
    assert!(store.remove(&first.id).await.unwrap());
    assert!(!store.remove(&first.id).await.unwrap());
    assert!(store.deliveries(&of(&first)).await.unwrap().is_empty());
    assert_eq!(store.deliveries(&of(&other)).await.unwrap().len(), 1);
}

/// Whoever tells of an end twice records it once, for each webhook.
pub async fn a_delivery_is_recorded_once(fresh: &FreshWebhooks) {
    let (store, first) = with(fresh, 2).await;
    let other = webhook(2);
    store.add(&other).await.unwrap();
    let again = [
        delivery(&first, 2),
        delivery(&first, 3),
        delivery(&other, 2),
    ];
    assert_eq!(store.record(&again).await.unwrap(), 2);
    assert_eq!(store.record(&again).await.unwrap(), 0);
    assert_eq!(store.record(&[]).await.unwrap(), 0);
    let found = store.deliveries(&of(&first)).await.unwrap();
    assert_eq!(found.len(), 3);
    let new = delivery(&first, 3);
    assert_eq!(
        (&found[0].message, found[0].made_at),
        (&new.message, new.made_at)
    );
    assert_eq!(
        (found[0].phase, found[0].tries),
        (DeliveryPhase::Waiting, 0)
    );
}

/// Claimed at once by many: each delivery by one of them, and none that is not due.
pub async fn of_several_callers_one_gets_each_delivery(fresh: &FreshWebhooks) {
    let (store, webhook) = with(fresh, 20).await;
    let now = later(16);
    let calls = (0..8).map(|_| store.claim(&webhook.id, now, now + MINUTE, 3));
    let claimed = futures_util::future::join_all(calls).await;
    let claimed = claimed.into_iter().flat_map(Result::unwrap);
    let mut numbers: Vec<u64> = claimed.map(|delivery| delivery.number).collect();
    // Callers may leave each other some out: they come again.
    loop {
        let more = claim(&*store, &webhook.id, now, 3).await;
        if more.is_empty() {
            break;
        }
        numbers.extend(more.iter().map(|delivery| delivery.number));
    }
    let count = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(
        (count, numbers.len()),
        (16, 16),
        "20 of which 4 are due later"
    );
}

/// A server that died with claims does not keep them.
pub async fn a_claim_that_has_run_out_is_given_to_the_next(fresh: &FreshWebhooks) {
    let (store, webhook) = with(fresh, 1).await;
    let now = later(10);
    let first = claim(&*store, &webhook.id, now, 9).await;
    assert_eq!((first.len(), first[0].due_at), (1, now + MINUTE));
    let soon = now + MINUTE - Duration::from_micros(1);
    assert!(claim(&*store, &webhook.id, soon, 9).await.is_empty());
    let next = claim(&*store, &webhook.id, now + MINUTE, 9).await;
    assert_eq!((next.len(), next[0].number), (1, first[0].number));
}

/// Each way to settle leaves what it says.
pub async fn what_became_of_a_delivery_is_written_down(fresh: &FreshWebhooks) {
    use DeliveryPhase::{Delivered, GivenUp, Waiting};

    let (store, webhook) = with(fresh, 4).await;
    let claimed = claim(&*store, &webhook.id, later(10), 9).await;
    let ways = [
        Settled::Unsent,
        Settled::Again(later(70), made(Some(500))),
        Settled::Ended(DeliveryPhase::Delivered, made(Some(204))),
        Settled::Ended(DeliveryPhase::GivenUp, made(None)),
    ];
    for (delivery, way) in claimed.iter().zip(ways) {
        settle(&*store, delivery, way).await;
    }
    let mut found = store.deliveries(&of(&webhook)).await.unwrap();
    found.reverse();
    let phases: Vec<_> = found.iter().map(|one| (one.phase, one.tries)).collect();
    assert_eq!(
        phases,
        [(Waiting, 0), (Waiting, 1), (Delivered, 1), (GivenUp, 1)]
    );
    assert_eq!(found[0].last, None);
    assert_eq!(found[1].last, Some(made(Some(500))));
    assert_eq!(found[3].last, Some(made(None)));
    let due: Vec<u64> = claim(&*store, &webhook.id, later(60), 9)
        .await
        .iter()
        .map(|delivery| delivery.number)
        .collect();
    assert_eq!(due, [found[0].number], "what was not tried is due at once");
    assert_eq!(
        claim(&*store, &webhook.id, later(70), 9).await[0].number,
        found[1].number
    );
}

/// A server that was slow does not overwrite what the next one does.
pub async fn whoever_lost_a_claim_writes_nothing(fresh: &FreshWebhooks) {
    let (store, webhook) = with(fresh, 1).await;
    let slow = claim(&*store, &webhook.id, later(10), 9).await;
    let next = claim(&*store, &webhook.id, later(10) + MINUTE, 9).await;
    settle(
        &*store,
        &slow[0],
        Settled::Ended(DeliveryPhase::GivenUp, made(None)),
    )
    .await;
    let found = store.deliveries(&of(&webhook)).await.unwrap();
    assert_eq!(
        (found[0].phase, found[0].tries),
        (DeliveryPhase::Waiting, 0)
    );
    settle(
        &*store,
        &next[0],
        Settled::Ended(DeliveryPhase::Delivered, made(Some(200))),
    )
    .await;
    settle(&*store, &next[0], Settled::Again(later(1), made(None))).await;
    let found = store.deliveries(&of(&webhook)).await.unwrap();
    assert_eq!(
        (found[0].phase, found[0].tries),
        (DeliveryPhase::Delivered, 1)
    );
}

/// Page by page, of one webhook or of all, in one phase or in any.
pub async fn deliveries_are_listed_from_the_newest(fresh: &FreshWebhooks) {
    let (store, first) = with(fresh, 5).await;
    let other = webhook(2);
    store.add(&other).await.unwrap();
    store.record(&[delivery(&other, 9)]).await.unwrap();
    let page = |before, limit| DeliveryQuery {
        before,
        limit,
        ..of(&first)
    };
    let newest = store.deliveries(&page(None, 2)).await.unwrap();
    let messages = |found: &[Delivery]| -> Vec<String> {
        found.iter().map(|one| one.message.id.to_string()).collect()
    };
    assert_eq!(messages(&newest), ["msg_5", "msg_4"]);
    let next = store
        .deliveries(&page(Some(newest[1].number), 9))
        .await
        .unwrap();
    assert_eq!(messages(&next), ["msg_3", "msg_2", "msg_1"]);
    let all = DeliveryQuery {
        webhook: None,
        ..page(None, 9)
    };
    assert_eq!(store.deliveries(&all).await.unwrap().len(), 6);
    let claimed = claim(&*store, &first.id, later(10), 1).await;
    settle(
        &*store,
        &claimed[0],
        Settled::Ended(DeliveryPhase::Delivered, made(Some(200))),
    )
    .await;
    let delivered = DeliveryQuery {
        phase: Some(DeliveryPhase::Delivered),
        ..of(&first)
    };
    assert_eq!(
        messages(&store.deliveries(&delivered).await.unwrap()),
        ["msg_1"]
    );
}

/// A replay begins from the first try; what waits is left alone.
pub async fn what_has_ended_can_be_made_again(fresh: &FreshWebhooks) {
    let (store, webhook) = with(fresh, 1).await;
    let claimed = claim(&*store, &webhook.id, later(10), 9).await;
    let number = claimed[0].number;
    assert!(!store.replay(number, later(11)).await.unwrap());
    settle(
        &*store,
        &claimed[0],
        Settled::Ended(DeliveryPhase::GivenUp, made(Some(500))),
    )
    .await;
    assert!(store.replay(number, later(90)).await.unwrap());
    assert!(claim(&*store, &webhook.id, later(89), 9).await.is_empty());
    let again = claim(&*store, &webhook.id, later(90), 9).await;
    assert_eq!((again[0].number, again[0].tries), (number, 0));
    assert_eq!(again[0].message, claimed[0].message);
}

/// By age and by number, never what still waits.
pub async fn old_deliveries_go_and_waiting_ones_stay(fresh: &FreshWebhooks) {
    let (store, webhook) = with(fresh, 6).await;
    for delivery in claim(&*store, &webhook.id, later(5), 9).await {
        settle(
            &*store,
            &delivery,
            Settled::Ended(DeliveryPhase::Delivered, made(Some(200))),
        )
        .await;
    }
    assert_eq!(
        store.prune(later(3), 100, 1).await.unwrap(),
        1,
        "no more than asked"
    );
    assert_eq!(store.prune(later(3), 100, 9).await.unwrap(), 1);
    assert_eq!(store.prune(later(0), 2, 9).await.unwrap(), 1);
    let left = store.deliveries(&of(&webhook)).await.unwrap();
    let left: Vec<_> = left.iter().map(|one| one.message.id.as_str()).collect();
    assert_eq!(left, ["msg_6", "msg_5", "msg_4"]);
    assert_eq!(store.prune(later(99), 0, 9).await.unwrap(), 2);
}

/// More than so many wait.
pub async fn it_is_known_who_is_behind(fresh: &FreshWebhooks) {
    let (store, webhook) = with(fresh, 3).await;
    assert!(store.is_behind(&webhook.id, 2).await.unwrap());
    assert!(!store.is_behind(&webhook.id, 3).await.unwrap());
}

/// A mark that its owner has moved on is not removed by somebody who read it before.
pub async fn marks_are_set_and_removed_as_they_were_read(fresh: &FreshWebhooks) {
    let (store, _) = with(fresh, 0).await;
    let mark = |owner, seconds| EndMark {
        owner,
        upto: later(seconds),
        beat_at: later(seconds + 1),
    };
    store.set_mark(mark(1, 1)).await.unwrap();
    store.set_mark(mark(u64::MAX >> 1, 1)).await.unwrap();
    store.set_mark(mark(1, 2)).await.unwrap();
    store.remove_mark(mark(1, 1)).await.unwrap();
    let mut marks = store.marks().await.unwrap();
    marks.sort_by_key(|mark| mark.owner);
    assert_eq!(marks, [mark(1, 2), mark(u64::MAX >> 1, 1)]);
    store.remove_mark(mark(1, 2)).await.unwrap();
    assert_eq!(store.marks().await.unwrap(), [mark(u64::MAX >> 1, 1)]);
}

/// Everything is durable when a call has returned.
pub async fn webhooks_deliveries_and_marks_are_there_after_a_restart(fresh: &FreshWebhooks) {
    let (store, webhook) = with(fresh, 2).await;
    let mark = EndMark {
        owner: 7,
        upto: later(1),
        beat_at: later(2),
    };
    store.set_mark(mark).await.unwrap();
    let claimed = claim(&*store, &webhook.id, later(10), 1).await;
    settle(
        &*store,
        &claimed[0],
        Settled::Ended(DeliveryPhase::Delivered, made(Some(200))),
    )
    .await;
    let store = fresh.reopen(store).await;
    let found = store.webhooks().await.unwrap();
    assert_eq!((found.len(), &found[0]), (1, &webhook));
    assert_eq!(store.marks().await.unwrap(), [mark]);
    let found = store.deliveries(&of(&webhook)).await.unwrap();
    assert_eq!(found[1].phase, DeliveryPhase::Delivered);
    assert_eq!(found[0].phase, DeliveryPhase::Waiting);
}
