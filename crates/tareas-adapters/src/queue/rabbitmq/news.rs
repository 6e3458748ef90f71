//! Which tasks have ended, through RabbitMQ: a fanout exchange, and for each listener a queue of
//! its own that ends with its connection.
//!
//! Messages ([`told`](super::told)) are neither persistent nor confirmed nor acknowledged. A
//! listener that falls behind loses the oldest. Whatever is lost is found by
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
use tareas_engine::ports::{Ended as Told, News};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use super::config::RabbitmqConfig;
use super::link::{self, Ended, LinkError, answered};
use super::told::{TOLD_MAX, decode, messages};

/// Batches that wait to be sent, and messages that wait to be heard; more are lost.
const WAITING_MAX: usize = 256;
/// What waits in RabbitMQ for one listener.
const QUEUE_MESSAGES_MAX: i32 = 10_000;
const QUEUE_BYTES_MAX: i32 = 64 * 1024 * 1024;

/// See the module's documentation.
pub struct RabbitmqNews {
    told: mpsc::Sender<Vec<Told>>,
    heard: Mutex<mpsc::Receiver<Vec<Told>>>,
    service: JoinHandle<()>,
}

/// What the service works with, in all lives of its connection.
struct Ends {
    to_tell: mpsc::Receiver<Vec<Told>>,
    /// Nothing is listened to without it.
    heard: Option<mpsc::Sender<Vec<Told>>>,
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
    arguments.insert(
        "x-max-length-bytes".into(),
        AMQPValue::LongInt(QUEUE_BYTES_MAX),
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
fn gather(mut batch: Vec<Told>, waiting: &mut mpsc::Receiver<Vec<Told>>) -> Vec<Told> {
    while batch.len() < TOLD_MAX
        && let Ok(more) = waiting.try_recv()
    {
        batch.extend(more);
    }
    batch
}

async fn tell(channel: &Channel, exchange: &str, ended: Vec<Told>) -> Result<(), LinkError> {
    for body in messages(&ended) {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let sent = channel.basic_publish(exchange.into(), "".into(), options, &body, properties);
        // Nothing is confirmed on this channel.
        drop(answered(sent).await?);
    }
    Ok(())
}

fn hear(body: &[u8], heard: Option<&mpsc::Sender<Vec<Told>>>) {
    match (decode(body), heard) {
        (Some(ended), Some(heard)) => {
            // Nobody listens fast enough: the records are looked into.
            let _ = heard.try_send(ended);
        }
        _ => tracing::warn!("a message that is no list of ended tasks is dropped"),
    }
}

#[async_trait]
impl News for RabbitmqNews {
    fn tell(&self, ended: Vec<Told>) {
        // While RabbitMQ is away nobody hears it anyway.
        let _ = self.told.try_send(ended);
    }

    async fn hear(&self) -> Vec<Told> {
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
