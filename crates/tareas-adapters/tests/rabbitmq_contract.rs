//! The contract of the `Queue` port, on RabbitMQ.

#![cfg(feature = "rabbitmq")]
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod rabbitmq_support;

use std::sync::Arc;

use async_trait::async_trait;
use rabbitmq_support::fresh_url;
use tareas_adapters::RabbitmqQueue;
use tareas_adapters::queue::rabbitmq::RabbitmqConfig;
use tareas_engine::contract::Fresh;
use tareas_engine::ports::Queue;
use tareas_services::{Rabbitmq, Service, is_missing};

/// Names of one's own on a node that all clauses share.
struct Distant;

#[async_trait]
impl Fresh<dyn Queue> for Distant {
    async fn open(&self) -> Arc<dyn Queue> {
        let url = fresh_url(Rabbitmq::shared());
        let queue = RabbitmqQueue::start(RabbitmqConfig::parse(&url).unwrap());
        queue.until_connected().await;
        Arc::new(queue)
    }
}

fn distant() -> Option<Distant> {
    (!is_missing(Service::Rabbitmq)).then_some(Distant)
}

mod rabbitmq {
    tareas_engine::queue_contract!(match super::distant() {
        Some(distant) => distant,
        None => return,
    });
}
