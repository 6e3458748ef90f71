//! The contract of the `Queue` port, on every adapter.

use std::sync::Arc;

use tareas_adapters::MemoryQueue;
use tareas_engine::contract::Fresh;
use tareas_engine::contract::queue::HEADS;
use tareas_engine::ports::Queue;

fn memory() -> impl Fresh<dyn Queue> {
    || -> Arc<dyn Queue> { Arc::new(MemoryQueue::new(HEADS)) }
}

fn roomy_memory() -> impl Fresh<dyn Queue> {
    || -> Arc<dyn Queue> { Arc::new(MemoryQueue::default()) }
}

mod memory {
    tareas_engine::queue_contract!(super::memory());
    tareas_engine::local_queue_contract!(super::memory());
}

mod memory_that_never_spills {
    tareas_engine::queue_contract!(super::roomy_memory());
    tareas_engine::local_queue_contract!(super::roomy_memory());
}
