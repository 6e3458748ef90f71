//! Which tasks have ended, through RabbitMQ: a fanout exchange, and for each listener a queue of
//! its own that ends with its connection.
//!
//! Messages are a version and up to 1,000 ids; they are neither persistent nor confirmed nor
//! acknowledged. A listener that falls behind loses the oldest. Whatever is lost is found by
//! looking into the records.

use std::fmt;

use async_trait::async_trait;
use futures_util::StreamExt;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, Consumer, ExchangeKind};
use tareas_core::TaskId;
use tareas_engine::ports::News;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use super::config::RabbitmqConfig;
use super::link::{self, Ended, LinkError, answered};

/// The first byte of every message.
const VERSION: u8 = 1;
/// Bytes of an id.
const ID_BYTES: usize = 16;
/// Ids in one message.
const IDS_MAX: usize = 1_000;
/// Batches that wait to be sent, and messages that wait to be heard; more are lost.
const WAITING_MAX: usize = 1_024;
/// Messages that wait in RabbitMQ for one listener.
const QUEUE_MESSAGES_MAX: i32 = 10_000;

/// See the module's documentation.
pub struct RabbitmqNews {
    told: mpsc::Sender<Vec<TaskId>>,
    heard: Mutex<mpsc::Receiver<Vec<TaskId>>>,
    service: JoinHandle<()>,
}

/// What the service works with, in all lives of its connection.
struct Ends {
    to_tell: mpsc::Receiver<Vec<TaskId>>,
    /// Nothing is listened to without it.
    heard: Option<mpsc::Sender<Vec<TaskId>>>,
}

impl RabbitmqNews {
    /// Begins to connect, and goes on trying for as long as it lives. `hears`: somebody here
    /// waits for tasks; else it only tells. To be called inside a runtime.
    pub fn start(config: RabbitmqConfig, hears: bool) -> Self {
        let (told, to_tell) = mpsc::channel(WAITING_MAX);
        let (sender, heard) = mpsc::channel(WAITING_MAX);
        let heard_by = hears.then_some(sender);
        let service = tokio::spawn(async move {
            let ends = Mutex::new(Ends {
                to_tell,
                heard: heard_by,
            });
            link::keep("news", &config, || async {
                let mut ends = ends.lock().await;
                let connection = link::connect("news", &config).await?;
                let ended = live(&config, &connection, &mut ends).await;
                if ended.is_ok() {
                    link::close(&connection).await;
                }
                ended
            })
            .await;
        });
        Self {
            told,
            heard: Mutex::new(heard),
            service,
        }
    }
}

/// One life of the connection.
async fn live(
    config: &RabbitmqConfig,
    connection: &Connection,
    ends: &mut Ends,
) -> Result<Ended, LinkError> {
    let exchange = format!("{}.done", config.prefix);
    let channel = answered(connection.create_channel()).await?;
    declare(&channel, &exchange).await?;
    let mut listening = match ends.heard {
        Some(_) => Some(listen(&channel, &exchange).await?),
        None => None,
    };
    loop {
        tokio::select! {
            batch = ends.to_tell.recv() => {
                let Some(batch) = batch else { return Ok(Ended::ForGood) };
                tell(&channel, &exchange, gather(batch, &mut ends.to_tell)).await?;
            }
            message = next(&mut listening) => match message {
                Some(delivery) => hear(&delivery?.data, ends.heard.as_ref()),
                None => return Err(LinkError::Gone),
            },
        }
    }
}

async fn declare(channel: &Channel, exchange: &str) -> Result<(), LinkError> {
    let options = ExchangeDeclareOptions::default();
    let kind = ExchangeKind::Fanout;
    let declared = channel.exchange_declare(exchange.into(), kind, options, FieldTable::default());
    answered(declared).await
}

/// A queue of one's own, with the messages that come to it.
async fn listen(channel: &Channel, exchange: &str) -> Result<Consumer, LinkError> {
    let mut arguments = FieldTable::default();
    arguments.insert(
        "x-max-length".into(),
        AMQPValue::LongInt(QUEUE_MESSAGES_MAX),
    );
    let options = QueueDeclareOptions {
        exclusive: true,
        auto_delete: true,
        ..QueueDeclareOptions::default()
    };
    let queue = answered(channel.queue_declare("".into(), options, arguments)).await?;
    let name = queue.name().clone();
    let options = QueueBindOptions::default();
    let none = FieldTable::default();
    let bound = channel.queue_bind(name.clone(), exchange.into(), "".into(), options, none);
    answered(bound).await?;
    let options = BasicConsumeOptions {
        no_ack: true,
        ..BasicConsumeOptions::default()
    };
    answered(channel.basic_consume(name, "".into(), options, FieldTable::default())).await
}

async fn next(listening: &mut Option<Consumer>) -> Option<lapin::Result<lapin::message::Delivery>> {
    match listening {
        Some(listening) => listening.next().await,
        None => std::future::pending().await,
    }
}

/// What waits goes together: into as few messages, and as few looks, as it fits.
fn gather(mut batch: Vec<TaskId>, waiting: &mut mpsc::Receiver<Vec<TaskId>>) -> Vec<TaskId> {
    while batch.len() < IDS_MAX
        && let Ok(more) = waiting.try_recv()
    {
        batch.extend(more);
    }
    batch
}

async fn tell(channel: &Channel, exchange: &str, ids: Vec<TaskId>) -> Result<(), LinkError> {
    for ids in ids.chunks(IDS_MAX) {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let body = encode(ids);
        let sent = channel.basic_publish(exchange.into(), "".into(), options, &body, properties);
        // Nothing is confirmed on this channel.
        drop(answered(sent).await?);
    }
    Ok(())
}

fn hear(body: &[u8], heard: Option<&mpsc::Sender<Vec<TaskId>>>) {
    match (decode(body), heard) {
        (Some(ids), Some(heard)) => {
            // Nobody listens fast enough: the records are looked into.
            let _ = heard.try_send(ids);
        }
        _ => tracing::warn!("a message that is no list of ended tasks is dropped"),
    }
}

fn encode(ids: &[TaskId]) -> Vec<u8> {
    let mut body = Vec::with_capacity(1 + ids.len() * ID_BYTES);
    body.push(VERSION);
    for id in ids {
        body.extend_from_slice(&id.as_u128().to_be_bytes());
    }
    body
}

fn decode(body: &[u8]) -> Option<Vec<TaskId>> {
    let (version, ids) = body.split_first()?;
    let is_whole = *version == VERSION && ids.len() % ID_BYTES == 0;
    if !is_whole || ids.len() > IDS_MAX * ID_BYTES {
        return None;
    }
    let ids = ids
        .chunks_exact(ID_BYTES)
        .filter_map(|id| id.try_into().ok());
    Some(
        ids.map(|id| TaskId::from_u128(u128::from_be_bytes(id)))
            .collect(),
    )
}

#[async_trait]
impl News for RabbitmqNews {
    fn tell(&self, ended: Vec<TaskId>) {
        // While RabbitMQ is away nobody hears it anyway.
        let _ = self.told.try_send(ended);
    }

    async fn hear(&self) -> Vec<TaskId> {
        let mut heard = self.heard.lock().await;
        match heard.recv().await {
            Some(first) => gather(first, &mut heard),
            None => std::future::pending().await,
        }
    }
}

impl fmt::Debug for RabbitmqNews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitmqNews").finish_non_exhaustive()
    }
}

impl Drop for RabbitmqNews {
    fn drop(&mut self) {
        self.service.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_and_others_are_refused() {
        let ids = [1, u128::MAX].map(TaskId::from_u128);
        assert_eq!(decode(&encode(&ids)).unwrap(), ids);
        assert_eq!(decode(&encode(&[])).unwrap(), []);
        for body in [&b""[..], b"\x02", b"\x01x", &[1; 2 + IDS_MAX * ID_BYTES]] {
            assert!(decode(body).is_none());
        }
        let too_many = vec![ids[0]; IDS_MAX + 1];
        assert!(decode(&encode(&too_many)).is_none());
    }
}
