//! Lanes that hold less than the records do.
//!
//! An adapter that has room for everything keeps these clauses by never spilling.

use std::collections::BTreeSet;

use tareas_core::{Lane, Place};

use super::{FreshQueue, HEADS, drain, hints, lane, places, publish};
use crate::ports::{Queue, Spilled};

const FULL: i64 = HEADS as i64;
/// More than a lane of a clause holds.
const MANY: i64 = FULL * 3;

fn spilled(queue: &dyn Queue, lane: &Lane) -> Option<Spilled> {
    queue
        .spilled()
        .into_iter()
        .find(|spilled| spilled.lane == *lane)
}

/// What the records have above the cursor, of tasks 1 to `last`, as far as there is room.
fn next_of(spilled: &Spilled, last: i64) -> (Vec<i64>, bool) {
    let first = spilled.cursor.0.max(0) + 1;
    let waiting: Vec<i64> = (first..=last).collect();
    let next: Vec<i64> = waiting.iter().copied().take(spilled.room).collect();
    let is_all = next.len() == waiting.len();
    (next, is_all)
}

/// Receives and refills until the lane holds all, as the engine does.
async fn drain_with_refills(queue: &dyn Queue, lane: &Lane, last: i64) -> Vec<i64> {
    let mut seen = Vec::new();
    loop {
        seen.extend(places(&drain(queue).await));
        let Some(spilled) = spilled(queue, lane) else {
            return seen;
        };
        let (next, is_all) = next_of(&spilled, last);
        queue
            .refill(&spilled, &hints(next), is_all)
            .await
            .expect("the queue is there");
    }
}

/// What a full lane drops is the end of the line, and it says so.
pub async fn a_full_lane_spills_what_comes_last(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 5), 1..=MANY).await;
    let spilled = spilled(&*queue, &lane("a", 5));
    let held = places(&drain(&*queue).await);
    assert!(held.len() >= HEADS, "a lane holds {HEADS} at least");
    assert_eq!(held, (1..=held.len() as i64).collect::<Vec<_>>());
    if let Some(spilled) = spilled {
        assert_eq!(spilled.cursor, Place(held.len() as i64));
        assert_eq!(spilled.dropped, (MANY as usize - held.len()) as u64);
    } else {
        assert_eq!(held.len() as i64, MANY, "what is not held is reported");
    }
}

/// The detour through the records changes neither order nor number.
pub async fn a_spilled_lane_is_refilled_in_order(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    for start in (1..=MANY).step_by(4) {
        publish(&*queue, &lane("a", 5), start..start + 4).await;
    }
    let seen = drain_with_refills(&*queue, &lane("a", 5), MANY + 3).await;
    assert_eq!(seen[..MANY as usize], (1..=MANY).collect::<Vec<_>>());
    publish(&*queue, &lane("a", 5), [MANY + 4]).await;
    assert_eq!(
        places(&drain(&*queue).await),
        [MANY + 4],
        "it holds all again"
    );
}

/// A task that is released goes before those that were dropped.
pub async fn a_hint_at_or_below_the_cursor_is_kept(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 5), 1..=MANY).await;
    let first = places(&queue.receive(2).await.unwrap());
    assert_eq!(first, [1, 2]);
    publish(&*queue, &lane("a", 5), [2]).await;
    assert_eq!(places(&queue.receive(2).await.unwrap()), [2, 3]);
}

/// Hints that are published between a look at the lane and its refill are not forgotten.
pub async fn a_refill_that_raced_with_a_publication_loses_nothing(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 5), 1..=FULL + 1).await;
    let mut seen = places(&drain(&*queue).await);
    if let Some(spilled) = spilled(&*queue, &lane("a", 5)) {
        let (next, is_all) = next_of(&spilled, FULL + 1);
        // The records were read; now comes another task.
        publish(&*queue, &lane("a", 5), [FULL + 2]).await;
        queue.refill(&spilled, &hints(next), is_all).await.unwrap();
    } else {
        publish(&*queue, &lane("a", 5), [FULL + 2]).await;
    }
    seen.extend(drain_with_refills(&*queue, &lane("a", 5), FULL + 2).await);
    assert_eq!(seen, (1..=FULL + 2).collect::<Vec<_>>());
}

/// Two feeders may refill one lane: hints may be doubled, but none is lost or held twice.
pub async fn a_refill_may_repeat_what_is_held(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 5), 1..=MANY).await;
    drain(&*queue).await;
    if let Some(spilled) = spilled(&*queue, &lane("a", 5)) {
        let (next, is_all) = next_of(&spilled, MANY);
        queue
            .refill(&spilled, &hints(next.clone()), is_all)
            .await
            .unwrap();
        queue
            .refill(&spilled, &hints(next.clone()), is_all)
            .await
            .unwrap();
        let seen = drain_with_refills(&*queue, &lane("a", 5), MANY).await;
        let expected: Vec<i64> = (spilled.cursor.0 + 1..=MANY).collect();
        assert_eq!(seen, expected);
    }
}

/// After a start, or when hints were lost, the engine tells everything again from the first.
pub async fn a_lane_can_be_rebuilt_from_its_start(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    let room = HEADS / 2;
    let start = Spilled {
        lane: lane("a", 5),
        cursor: Place::START,
        dropped: u64::MAX,
        room,
    };
    // A client is faster than the start.
    publish(&*queue, &lane("a", 5), [MANY]).await;
    let (next, is_all) = next_of(&start, MANY);
    queue.refill(&start, &hints(next), is_all).await.unwrap();
    let seen = drain_with_refills(&*queue, &lane("a", 5), MANY).await;
    let all: BTreeSet<i64> = seen.iter().copied().collect();
    assert_eq!(all, (1..=MANY).collect::<BTreeSet<_>>(), "all are told");
    assert_eq!(
        seen[..room],
        (1..=room as i64).collect::<Vec<_>>(),
        "from the first on"
    );
}

/// Room is per lane.
pub async fn other_lanes_do_not_suffer_from_a_full_one(fresh: &FreshQueue) {
    let queue = fresh.open().await;
    publish(&*queue, &lane("a", 5), 1..=MANY).await;
    publish(&*queue, &lane("a", 9), [100]).await;
    publish(&*queue, &lane("b", 5), [101]).await;
    let seen: BTreeSet<i64> = places(&drain(&*queue).await).into_iter().collect();
    assert!(seen.contains(&100) && seen.contains(&101));
}
