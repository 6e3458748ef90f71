//! The receiving half: takes messages of every known line onto the shelf, acknowledges those
//! that are finished, and asks now and then how much waits.

use std::collections::{BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, SelectAll};
use futures_util::{Stream, StreamExt};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection};

use super::Shared;
use super::acks::Acks;
use super::link::{self, Ended, LinkError, answered};
use super::message::Message;
use super::names::Line;

/// Messages of one line that may be here unfinished.
const PREFETCH_MESSAGES: u16 = 64;
/// How often lines are looked for and measured.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Lines that are measured in one look.
const MEASURE_MAX: usize = 16;
/// A message that is unfinished for so long is let go, for others to have; well below the half
/// hour after which RabbitMQ would end the channel.
const HOLD_MAX: Duration = Duration::from_secs(300);

/// What comes from one line: messages, then the news that no more will come.
type Told = (Line, Option<lapin::Result<Delivery>>);

/// Receives until the queue is closed.
pub(super) async fn run(shared: Arc<Shared>) {
    link::keep("consumer", &shared.config, || life(&shared)).await;
}

async fn life(shared: &Shared) -> Result<Ended, LinkError> {
    if shared.is_closed() {
        return Ok(Ended::ForGood);
    }
    let connection = link::connect("consumer", &shared.config).await?;
    let channel = answered(connection.create_channel()).await?;
    let options = BasicQosOptions::default();
    answered(channel.basic_qos(PREFETCH_MESSAGES, options)).await?;
    shared.shelf.empty();
    let mut consumer = Consumer {
        shared,
        connection,
        channel,
        acks: Acks::default(),
        consumed: BTreeSet::new(),
        told: SelectAll::new(),
        to_measure: VecDeque::new(),
    };
    consumer.consume_new_lines().await?;
    shared.up.send_modify(|up| up.receiving = true);
    let ended = consumer.live().await;
    shared.up.send_modify(|up| up.receiving = false);
    if ended.is_ok() {
        link::close(&consumer.connection).await;
    }
    ended
}

/// One life of the receiving connection.
struct Consumer<'a> {
    shared: &'a Shared,
    connection: Connection,
    channel: Channel,
    acks: Acks,
    consumed: BTreeSet<Line>,
    told: SelectAll<Pin<Box<dyn Stream<Item = Told> + Send>>>,
    to_measure: VecDeque<Line>,
}

impl Consumer<'_> {
    async fn live(&mut self) -> Result<Ended, LinkError> {
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                tags = self.shared.shelf.finished() => self.acknowledge(tags).await?,
                Some((line, told)) = self.told.next() => self.hear(line, told).await?,
                () = self.shared.new_lines.notified() => {
                    if !self.consumed.iter().all(|line| self.shared.lines.is_wanted(line)) {
                        // What is not finished goes to those who want it.
                        return Ok(Ended::ToBeginAnew);
                    }
                    self.consume_new_lines().await?;
                }
                _ = look.tick() => {
                    if self.shared.shelf.holds_longer_than(HOLD_MAX) {
                        return Ok(Ended::ToBeginAnew);
                    }
                    self.look().await?;
                }
                () = self.shared.closed() => return Ok(Ended::ForGood),
            }
        }
    }

    async fn hear(
        &mut self,
        line: Line,
        told: Option<lapin::Result<Delivery>>,
    ) -> Result<(), LinkError> {
        let Some(told) = told else {
            // Somebody has removed the queue: the next look makes it again, if it is needed.
            tracing::warn!(queue = %line.queue, band = ?line.band, "a queue of RabbitMQ is gone");
            self.consumed.remove(&line);
            self.shared.lines.vanished(&line);
            return Ok(());
        };
        let told = told?;
        match Message::decode(&told.data) {
            Some(message) => {
                self.shared.window.arrived(&line, message.hints.len());
                self.shared.shelf.arrived(told.delivery_tag, &message);
                Ok(())
            }
            None => {
                tracing::warn!(queue = %line.queue, "a message that is no list of hints is dropped");
                self.acknowledge(vec![told.delivery_tag]).await
            }
        }
    }

    async fn acknowledge(&mut self, tags: Vec<u64>) -> Result<(), LinkError> {
        let due = self.acks.finished(tags);
        let up_to = due
            .up_to
            .map(|tag| (tag, BasicAckOptions { multiple: true }));
        let alone = due.alone.into_iter();
        let alone = alone.map(|tag| (tag, BasicAckOptions::default()));
        for (tag, options) in up_to.into_iter().chain(alone) {
            answered(self.channel.basic_ack(tag, options)).await?;
        }
        Ok(())
    }

    async fn consume_new_lines(&mut self) -> Result<(), LinkError> {
        for line in self.shared.lines.to_receive() {
            if self.consumed.contains(&line) {
                continue;
            }
            let name = line.name(&self.shared.config.prefix);
            self.shared.ensure(&self.connection, &name).await?;
            let consumer = answered(self.channel.basic_consume(
                name.into(),
                "".into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            ))
            .await?;
            self.consumed.insert(line.clone());
            let (of, end) = (line.clone(), line);
            let told = consumer.map(move |told| (of.clone(), Some(told)));
            self.told
                .push(Box::pin(told.chain(stream::iter([(end, None)]))));
        }
        Ok(())
    }

    /// Measures some lines, and finds those that other processes have made.
    async fn look(&mut self) -> Result<(), LinkError> {
        if self.to_measure.is_empty() {
            self.to_measure = self.shared.lines.possible().into_iter().collect();
        }
        for _ in 0..MEASURE_MAX.min(self.to_measure.len()) {
            let Some(line) = self.to_measure.pop_front() else {
                break;
            };
            let name = line.name(&self.shared.config.prefix);
            if let Some(messages) = link::measure(&self.connection, &name).await? {
                self.shared.window.measured(&line, messages);
                self.shared.exists(&line);
            }
        }
        self.consume_new_lines().await
    }
}
