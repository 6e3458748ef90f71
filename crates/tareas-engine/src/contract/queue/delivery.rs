//! Who gets which hint, and when.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tareas_core::Hint;

use super::{FreshQueue, MOMENT, drain, hint, lane, places, publish, queue_name, soon};
use crate::ports::{Delivery, Queue, Receipt};

/// First in, first out, in one lane.
pub async fn hints_of_a_lane_come_in_order_of_place(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 5), 1..=5).await;
    publish(&*queue, &lane("a", 5), 6..=9).await;
    assert_eq!(places(&drain(&*queue).await), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

/// Publishers may overtake each other; a released task comes back to its old place.
pub async fn hints_published_out_of_order_come_in_order(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    for places in [[4, 5], [1, 6], [2, 3]] {
        publish(&*queue, &lane("a", 5), places).await;
    }
    assert_eq!(places(&drain(&*queue).await), [1, 2, 3, 4, 5, 6]);
}

/// Nothing of a hint is lost, nor is its lane.
pub async fn a_hint_comes_back_as_it_was(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    let told = Hint {
        attempt: 7,
        suspect: true,
        ..hint(3)
    };
    queue.publish(&lane("a", 2), &[told]).await.unwrap();
    let received = queue.receive(1).await.unwrap();
    assert_eq!(received.len(), 1);
    assert_eq!((&received[0].lane, received[0].hint), (&lane("a", 2), told));
}

/// One receiver at a time.
pub async fn a_received_hint_is_hidden_from_others(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 5), 1..=3).await;
    let first = queue.receive(2).await.unwrap();
    let second = queue.receive(2).await.unwrap();
    assert_eq!((places(&first), places(&second)), (vec![1, 2], vec![3]));
    assert!(drain(&*queue).await.is_empty());
}

/// `max` is kept.
pub async fn no_more_is_received_than_asked_for(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 5), 1..=9).await;
    for max in [1, 3, 5] {
        assert!((1..=max).contains(&queue.receive(max).await.unwrap().len()));
    }
}

/// A receiver gets work of one queue at a time.
pub async fn one_delivery_is_of_one_queue(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 5), 1..=3).await;
    publish(&*queue, &lane("b", 5), 4..=6).await;
    for _ in 0..2 {
        let received = queue.receive(100).await.unwrap();
        assert!(
            received
                .iter()
                .all(|other| other.lane.queue == received[0].lane.queue)
        );
    }
}

/// Higher priorities before lower ones.
pub async fn the_urgent_come_first(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 1), 1..=3).await;
    publish(&*queue, &lane("a", 9), 4..=6).await;
    publish(&*queue, &lane("a", 5), 7..=9).await;
    assert_eq!(places(&drain(&*queue).await), [4, 5, 6, 7, 8, 9, 1, 2, 3]);
}

/// Of twenty hints, one at least is from a lower lane, while one waits there; and no lower lane
/// is forgotten over another.
pub async fn those_who_are_not_urgent_do_not_starve(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 0), [1]).await;
    publish(&*queue, &lane("a", 4), [2]).await;
    let mut seen = Vec::new();
    for round in 0..30 {
        publish(&*queue, &lane("a", 9), (round * 10 + 10)..(round * 10 + 15)).await;
        seen.extend(places(&queue.receive(5).await.unwrap()));
    }
    let waited = |place| seen.iter().position(|seen| *seen == place);
    assert!(waited(1).is_some_and(|position| position < 40), "{seen:?}");
    assert!(waited(2).is_some_and(|position| position < 40), "{seen:?}");
}

/// A queue with a thousand hints does not keep others waiting.
pub async fn queues_are_served_in_turn(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 9), 1..=12).await;
    publish(&*queue, &lane("b", 5), 20..=22).await;
    publish(&*queue, &lane("c", 0), 30..=32).await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(queue.receive(2).await.unwrap()[0].lane.queue.to_string());
    }
    for name in ["a", "b", "c"] {
        let turns = seen.iter().filter(|seen| *seen == name).count();
        assert_eq!(turns, 2, "{name} in {seen:?}");
    }
}

/// Pausing keeps hints; resuming delivers them, also to those who wait already.
pub async fn a_paused_queue_delivers_nothing_until_it_is_resumed(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 5), 1..=2).await;
    queue.pause(&queue_name("a"), true);
    publish(&*queue, &lane("a", 5), 3..=3).await;
    publish(&*queue, &lane("b", 5), 9..=9).await;
    assert_eq!(places(&drain(&*queue).await), [9]);
    let waiting = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move { queue.receive(9).await.unwrap() }
    });
    queue.pause(&queue_name("a"), false);
    assert_eq!(places(&waiting.await.unwrap()), [1, 2, 3]);
}

/// An operator may be faster than the first client.
pub async fn a_queue_may_be_paused_before_anybody_knows_it(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    queue.pause(&queue_name("a"), true);
    publish(&*queue, &lane("a", 5), 1..=2).await;
    assert!(drain(&*queue).await.is_empty());
    queue.pause(&queue_name("a"), false);
    assert_eq!(places(&drain(&*queue).await), [1, 2]);
}

/// `receive` waits, and is woken.
pub async fn a_receiver_waits_for_the_next_hint(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    assert!(soon(queue.receive(1)).await.is_none(), "nothing to give");
    assert!(queue.try_receive(1).is_empty());
    for place in 1..=50 {
        let waiting = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { queue.receive(9).await.unwrap() }
        });
        tokio::task::yield_now().await;
        publish(&*queue, &lane("a", 5), [place]).await;
        assert_eq!(places(&waiting.await.unwrap()), [place]);
    }
}

/// One publication of many hints serves many receivers.
pub async fn every_waiting_receiver_is_served(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move { queue.receive(1).await.unwrap() })
        })
        .collect();
    tokio::task::yield_now().await;
    publish(&*queue, &lane("a", 5), 1..=8).await;
    let mut seen = BTreeSet::new();
    for receiver in waiting {
        seen.extend(places(&receiver.await.unwrap()));
    }
    assert_eq!(seen, (1..=8).collect());
}

/// A receiver may be dropped while it waits, and what it was woken for goes to another.
pub async fn a_receiver_that_gives_up_takes_nothing_with_it(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    for place in 1..=50 {
        let (one, other) = (queue.receive(1), queue.receive(1));
        let mut waiting = [Box::pin(one), Box::pin(other)];
        for receiver in &mut waiting {
            assert!(futures_util::poll!(receiver.as_mut()).is_pending());
        }
        publish(&*queue, &lane("a", 5), [place]).await;
        let [gives_up, stays] = waiting;
        drop(gives_up);
        assert_eq!(places(&stays.await.unwrap()), [place]);
    }
}

/// With everybody at work at once, each hint is delivered, and once.
pub async fn many_receivers_get_every_hint_once(fresh: &FreshQueue) {
    const HINTS: i64 = 4_000;
    /// Hints on their way at a time; a lane has room for them.
    const BURST: i64 = 8;
    let queue = fresh.open().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let receivers: Vec<_> = (0..4)
        .map(|_| tokio::spawn(collect(Arc::clone(&queue), Arc::clone(&seen))))
        .collect();
    for start in (0..HINTS).step_by(BURST as usize) {
        let name = if start % 3 == 0 { "a" } else { "b" };
        publish(&*queue, &lane(name, 5), start..start + BURST).await;
        while (seen.lock().unwrap().len() as i64) < start + BURST {
            tokio::task::yield_now().await;
        }
    }
    queue.close();
    for receiver in receivers {
        receiver.await.unwrap();
    }
    let mut seen = seen.lock().unwrap().clone();
    seen.sort_unstable();
    assert_eq!(seen, (0..HINTS).collect::<Vec<_>>());
}

async fn collect(queue: Arc<dyn Queue>, seen: Arc<Mutex<Vec<i64>>>) {
    loop {
        let received = queue.receive(3).await.unwrap();
        if received.is_empty() {
            return;
        }
        acknowledge(&*queue, &received);
        seen.lock().unwrap().extend(places(&received));
    }
}

fn acknowledge(queue: &dyn Queue, deliveries: &[Delivery]) {
    let receipts: Vec<_> = deliveries.iter().map(|told| told.receipt).collect();
    queue.acknowledge(&receipts);
}

/// Neither hints that came with it nor those that come later.
pub async fn what_is_acknowledged_takes_nothing_with_it(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 5), 1..=6).await;
    let first = queue.receive(2).await.unwrap();
    acknowledge(&*queue, &first);
    acknowledge(&*queue, &first);
    queue.acknowledge(&[Receipt::NONE]);
    assert_eq!(places(&drain(&*queue).await), [3, 4, 5, 6]);
    publish(&*queue, &lane("a", 5), 7..=8).await;
    assert_eq!(places(&drain(&*queue).await), [7, 8]);
}

/// Draining ends every wait.
pub async fn closing_wakes_receivers_with_nothing(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move { queue.receive(1).await.unwrap() })
        })
        .collect();
    tokio::task::yield_now().await;
    queue.close();
    for receiver in waiting {
        assert!(receiver.await.unwrap().is_empty());
    }
}

/// A process that drains starts nothing new.
pub async fn nothing_is_delivered_after_closing(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 5), 1..=2).await;
    queue.close();
    queue.close();
    assert!(queue.receive(9).await.unwrap().is_empty());
    assert!(queue.try_receive(9).is_empty());
}

/// What was published and not received is held.
pub async fn the_depth_is_what_is_held(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 5), 1..=5).await;
    publish(&*queue, &lane("b", 1), 6..=7).await;
    queue.receive(1).await.unwrap();
    let held = || queue.depth().iter().map(|lane| lane.hints).sum::<usize>();
    // Of a shared queue it is an estimate, which must come true.
    while held() != 6 {
        let a_while = std::future::pending::<()>();
        let _ = tokio::time::timeout(MOMENT / 20, a_while).await;
    }
    assert!(queue.depth().iter().all(|lane| !lane.is_spilled));
}
