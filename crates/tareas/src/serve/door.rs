//! The door for clients that speak AMQP, when it is switched on, and what it counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tareas_engine::Engine;
use tareas_engine::ports::Clock;
use tareas_engine::services::Supervisor;
use tareas_server::DoorCounts;
#[cfg(feature = "rabbitmq")]
use tareas_server::Doorkeeper;
use tareas_server::metrics::{self, Reading};

use super::Role;
use crate::config::ServeConfig;

/// Begins to take letters, if that is asked for, and this is a server.
#[cfg(feature = "rabbitmq")]
pub(super) fn open(
    (config, role): (&ServeConfig, Role),
    engine: &Arc<Engine>,
    clock: &Arc<dyn Clock>,
    counts: Arc<DoorCounts>,
    supervisor: &Supervisor,
) {
    use tareas_adapters::queue::rabbitmq::RabbitmqDoor;

    use crate::config::HintQueue;

    let is_asked_for = config.amqp_door && role == Role::Server;
    if let (true, HintQueue::Rabbitmq(rabbitmq)) = (is_asked_for, &config.queue) {
        let door = Arc::new(RabbitmqDoor::start(rabbitmq.clone()));
        let (engine, clock) = (Arc::clone(engine), Arc::clone(clock));
        let keeper = Doorkeeper::new(engine, door, clock, counts, config.lang);
        supervisor.spawn(Box::new(keeper));
    }
}

/// There is no door in this build: the configuration has refused it.
#[cfg(not(feature = "rabbitmq"))]
pub(super) fn open(
    (config, _): (&ServeConfig, Role),
    _engine: &Arc<Engine>,
    _clock: &Arc<dyn Clock>,
    _counts: Arc<DoorCounts>,
    _supervisor: &Supervisor,
) {
    debug_assert!(!config.amqp_door, "a door without RabbitMQ was let through");
}

/// The readings of the store with those of a door that has done nothing yet, and what that counts
/// in.
pub(super) fn with_counts(
    store: Box<dyn metrics::Readings>,
) -> (Box<dyn metrics::Readings>, Arc<DoorCounts>) {
    let counts: Arc<DoorCounts> = Arc::default();
    let readings = Readings {
        store,
        counts: Arc::clone(&counts),
    };
    (Box::new(readings), counts)
}

/// The readings of the store, and those of the door.
#[derive(Debug)]
struct Readings {
    store: Box<dyn metrics::Readings>,
    counts: Arc<DoorCounts>,
}

impl metrics::Readings for Readings {
    fn read(&self) -> Vec<Reading> {
        let mut readings = self.store.read();
        let counter = |name, help, count: &AtomicU64| Reading {
            name,
            help,
            unit: None,
            only_grows: true,
            value: count.load(Ordering::Relaxed) as f64,
        };
        let counts = &self.counts;
        readings.extend([
            counter(
                "tareas_door_taken",
                "Messages from tareas.submit that became tasks, or were delivered again.",
                &counts.taken,
            ),
            counter(
                "tareas_door_put_aside",
                "Messages from tareas.submit that can never be tasks.",
                &counts.put_aside,
            ),
            counter(
                "tareas_door_retried",
                "Times that a message from tareas.submit could not be taken yet.",
                &counts.retried,
            ),
        ]);
        readings
    }
}
