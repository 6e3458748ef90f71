//! One life of the door's connection: one channel receives and acknowledges, the other sends,
//! confirmed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Confirmation, Connection, Consumer};
use tareas_engine::ports::{Letter, LetterReceipt, Reason, ReplyAddress};

use super::{Ends, PREFETCH_MESSAGES, Verdict, letter};
use crate::queue::rabbitmq::config::RabbitmqConfig;
use crate::queue::rabbitmq::link::{self, Ended, LinkError, answered};

/// Letters of the dead that are kept; beyond that the oldest go, since nobody may ever look.
const DEAD_MESSAGES_MAX: i32 = 100_000;
/// How often it is looked whether the connection is still there.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Receives and says what became of what was received, until the connection is lost.
pub(super) async fn live(
    config: &RabbitmqConfig,
    lives: &AtomicU64,
    ends: &mut Ends,
) -> Result<Ended, LinkError> {
    let connection = link::connect("door", config).await?;
    let mut life = Life::begin(config, connection, lives).await?;
    loop {
        tokio::select! {
            biased;
            verdict = ends.verdicts.recv() => match verdict {
                Some(verdict) => life.carry_out(verdict).await?,
                None => return Ok(Ended::ForGood),
            },
            // There is room for as many as may be here unfinished, unless those of an earlier life
            // are still in it.
            delivery = life.consumer.next(), if ends.letters.capacity() > 0 => match delivery {
                Some(delivery) => {
                    let letter = letter::read(delivery?, life.number);
                    if ends.letters.try_send(letter).is_err() {
                        return Ok(Ended::ForGood);
                    }
                }
                // Somebody has removed the queue: the next life makes it again.
                None => return Err(LinkError::Gone),
            },
            () = link::wait(LOOK_EVERY) => {
                if !life.connection.status().connected() {
                    return Err(LinkError::Gone);
                }
            }
        }
    }
}

/// See the module's documentation.
struct Life {
    number: u64,
    dead: String,
    connection: Connection,
    receiving: Channel,
    sending: Channel,
    consumer: Consumer,
}

impl Life {
    async fn begin(
        config: &RabbitmqConfig,
        connection: Connection,
        lives: &AtomicU64,
    ) -> Result<Self, LinkError> {
        let (letters, dead) = names(config);
        ensure(
            &connection,
            &dead,
            [("x-max-length", AMQPValue::LongInt(DEAD_MESSAGES_MAX))],
        )
        .await?;
        // What RabbitMQ itself gives up (too old, delivered too often) is found there, too.
        let text = |text: &str| AMQPValue::LongString(text.into());
        let rest = [
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text(&dead)),
        ];
        ensure(&connection, &letters, rest).await?;
        let sending = answered(connection.create_channel()).await?;
        answered(sending.confirm_select(ConfirmSelectOptions::default())).await?;
        let receiving = answered(connection.create_channel()).await?;
        let options = BasicQosOptions::default();
        answered(receiving.basic_qos(PREFETCH_MESSAGES, options)).await?;
        let options = BasicConsumeOptions::default();
        let none = FieldTable::default();
        let consumer = receiving.basic_consume(letters.into(), "".into(), options, none);
        let consumer = answered(consumer).await?;
        Ok(Self {
            number: lives.fetch_add(1, Ordering::Relaxed) + 1,
            dead,
            connection,
            receiving,
            sending,
            consumer,
        })
    }

    async fn carry_out(&mut self, verdict: Verdict) -> Result<(), LinkError> {
        match verdict {
            Verdict::Take(receipts) => self.take(&receipts).await,
            Verdict::PutAside(refused) => self.put_aside(refused).await,
            Verdict::Reply(to, body) => self.reply(&to, &body).await,
        }
    }

    /// Those of this life: what an earlier one has received was given back when it ended.
    fn mine(&self, receipts: &[LetterReceipt]) -> impl Iterator<Item = u64> {
        let number = self.number;
        let mine = receipts
            .iter()
            .filter(move |receipt| receipt.life == number);
        mine.map(|receipt| receipt.tag)
            .collect::<Vec<u64>>()
            .into_iter()
    }

    async fn take(&self, receipts: &[LetterReceipt]) -> Result<(), LinkError> {
        for tag in self.mine(receipts) {
            answered(self.receiving.basic_ack(tag, BasicAckOptions::default())).await?;
        }
        Ok(())
    }

    /// Acknowledged only when the queue of the dead has them.
    async fn put_aside(&self, refused: Vec<(Letter, Reason)>) -> Result<(), LinkError> {
        for (letter, reason) in refused {
            if letter.receipt.life != self.number {
                continue;
            }
            let (options, properties) = (
                BasicPublishOptions {
                    mandatory: true,
                    ..BasicPublishOptions::default()
                },
                letter::dead(&letter, &reason),
            );
            let name = self.dead.as_str().into();
            let body = &letter.body;
            let sent = self
                .sending
                .basic_publish("".into(), name, options, body, properties);
            match answered(answered(sent).await?).await? {
                Confirmation::Ack(None) => self.take(&[letter.receipt]).await?,
                // Returned, or refused: it begins anew, with the queue made again.
                _ => return Err(LinkError::Gone),
            }
        }
        Ok(())
    }

    /// Neither mandatory nor waited for: who has gone has no use for it.
    async fn reply(&self, to: &ReplyAddress, body: &Bytes) -> Result<(), LinkError> {
        let (options, properties) = (BasicPublishOptions::default(), letter::answer(to));
        let name = to.to.as_str().into();
        let sent = self
            .sending
            .basic_publish("".into(), name, options, body, properties);
        drop(answered(sent).await?);
        Ok(())
    }
}

/// The queue of letters, and that of the dead.
fn names(config: &RabbitmqConfig) -> (String, String) {
    let prefix = &config.prefix;
    (format!("{prefix}.submit"), format!("{prefix}.submit.dead"))
}

/// Makes a quorum queue, unless it is there.
async fn ensure<const N: usize>(
    connection: &Connection,
    name: &str,
    rest: [(&'static str, AMQPValue); N],
) -> Result<(), LinkError> {
    if link::measure(connection, name).await?.is_some() {
        return Ok(());
    }
    let channel = answered(connection.create_channel()).await?;
    let mut arguments = FieldTable::default();
    let quorum = AMQPValue::LongString("quorum".into());
    arguments.insert("x-queue-type".into(), quorum);
    for (argument, value) in rest {
        arguments.insert(argument.into(), value);
    }
    let options = QueueDeclareOptions::durable();
    match answered(channel.queue_declare(name.into(), options, arguments)).await {
        Ok(_) => Ok(()),
        // Another process may have made it at the same time.
        Err(error) => match link::measure(connection, name).await? {
            Some(_) => Ok(()),
            None => Err(error),
        },
    }
}
