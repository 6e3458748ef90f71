//! The `Queue` port: who is told that a task is ready.

mod memory;

pub use self::memory::{HEADS_MAX, MemoryQueue};
