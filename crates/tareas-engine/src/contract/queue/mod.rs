//! What every adapter of the `Queue` port keeps.

mod delivery;
mod spilling;

use std::time::Duration;

use tareas_core::{Hint, Lane, Place, Priority, QueueName, TaskId, Timestamp};

pub use self::delivery::*;
pub use self::spilling::*;
use super::Fresh;
use crate::ports::{Delivery, Queue};

/// A queue for one clause. Its lanes hold [`HEADS`] hints at most.
pub type FreshQueue = dyn Fresh<dyn Queue>;

/// Whether a clause must be skipped: see [`Fresh::is_absent`].
pub fn is_absent(fresh: &FreshQueue) -> bool {
    fresh.is_absent()
}

/// How many hints a lane holds in a clause: adapters with room for more never spill, which is
/// fine; adapters with less would fail.
pub const HEADS: usize = 16;

/// Every clause of the `Queue` contract that all adapters keep, as one test each.
#[macro_export]
macro_rules! queue_contract {
    ($fresh:expr) => {
        $crate::clauses! { queue, $fresh;
        hints_of_a_lane_come_in_order_of_place,
        a_hint_comes_back_as_it_was,
        a_received_hint_is_hidden_from_others,
        no_more_is_received_than_asked_for,
        one_delivery_is_of_one_queue,
        those_who_are_not_urgent_do_not_starve,
        a_paused_queue_delivers_nothing_until_it_is_resumed,
        a_queue_may_be_paused_before_anybody_knows_it,
        a_receiver_waits_for_the_next_hint,
        every_waiting_receiver_is_served,
        a_receiver_that_gives_up_takes_nothing_with_it,
        many_receivers_get_every_hint_once,
        what_is_acknowledged_takes_nothing_with_it,
        closing_wakes_receivers_with_nothing,
        nothing_is_delivered_after_closing,
        the_depth_is_what_is_held,
        a_full_lane_spills_what_comes_last,
        a_spilled_lane_is_refilled_in_order,
        a_refill_that_raced_with_a_publication_loses_nothing,
        a_refill_may_repeat_what_is_held,
        other_lanes_do_not_suffer_from_a_full_one,
        }
    };
}

/// What holds besides where nothing travels: what was published has arrived, and the queue
/// itself says what it had no room for. Adapters of shared queues cannot promise this.
#[macro_export]
macro_rules! local_queue_contract {
    ($fresh:expr) => {
        $crate::clauses! { queue, $fresh;
        hints_published_out_of_order_come_in_order,
        the_urgent_come_first,
        queues_are_served_in_turn,
        a_hint_at_or_below_the_cursor_is_kept,
        a_lane_can_be_rebuilt_from_its_start,
        }
    };
}

fn queue_name(name: &str) -> QueueName {
    QueueName::new(name).expect("a valid name")
}

fn lane(name: &str, priority: u8) -> Lane {
    let priority = Priority::new(priority).expect("0 to 9");
    Lane {
        queue: queue_name(name),
        priority,
    }
}

/// A hint for the task in this place.
fn hint(place: i64) -> Hint {
    let task = TaskId::v7(
        Timestamp::from_millis(1_800_000_000_000),
        place.unsigned_abs().into(),
    );
    Hint {
        task,
        attempt: 0,
        place: Place(place),
        suspect: false,
    }
}

fn hints(places: impl IntoIterator<Item = i64>) -> Vec<Hint> {
    places.into_iter().map(hint).collect()
}

async fn publish(queue: &dyn Queue, lane: &Lane, places: impl IntoIterator<Item = i64>) {
    queue
        .publish(lane, &hints(places))
        .await
        .expect("the queue is there");
}

fn places(deliveries: &[Delivery]) -> Vec<i64> {
    deliveries
        .iter()
        .map(|delivery| delivery.hint.place.0)
        .collect()
}

/// Everything that can be received without waiting for new hints. Adapters of distant queues
/// may need a moment.
async fn drain(queue: &dyn Queue) -> Vec<Delivery> {
    let mut drained = Vec::new();
    while let Some(received) = soon(queue.receive(100)).await {
        let received = received.expect("the queue is there");
        if received.is_empty() {
            break;
        }
        drained.extend(received);
    }
    drained
}

/// A moment: hints of a distant queue have arrived after it.
const MOMENT: Duration = Duration::from_millis(600);

/// What happens within a moment.
async fn soon<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(MOMENT, future).await.ok()
}
