//! The `Queue` port: who is told that a task is ready.

mod memory;
#[cfg(feature = "rabbitmq")]
pub mod rabbitmq;

pub use self::memory::{HEADS_MAX, MemoryQueue};
#[cfg(feature = "rabbitmq")]
pub use self::rabbitmq::RabbitmqQueue;
