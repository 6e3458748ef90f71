//! The publishing half: takes messages from a bounded outbox, sends them persistent and
//! mandatory, and waits for their confirms beside the callers.
//!
//! A message that is nacked, returned, or not confirmed when its time or its connection ends, is
//! lost. That is counted, and costs latency only.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use tokio::sync::mpsc;

use super::Shared;
use super::link::{self, Ended, LinkError, answered};
use super::message::Message;
use super::names::Line;

/// Messages whose confirms may be out.
const UNCONFIRMED_MAX: usize = 256;
/// How often a silent connection is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The delivery mode of messages that survive a restart.
const PERSISTENT: u8 = 2;

/// Messages on their way out.
struct Outbox {
    waiting: mpsc::Receiver<Message>,
    /// Was in hand when a connection ended: it is tried once more.
    in_hand: Option<Message>,
}

impl Outbox {
    /// The next message, and whether it may be tried once more.
    async fn next(&mut self) -> Option<(Message, bool)> {
        match self.in_hand.take() {
            Some(message) => Some((message, false)),
            None => Some((self.waiting.recv().await?, true)),
        }
    }
}

/// Publishes until nobody can send any more.
pub(super) async fn run(shared: Arc<Shared>, waiting: mpsc::Receiver<Message>) {
    let in_hand = None;
    let outbox = tokio::sync::Mutex::new(Outbox { waiting, in_hand });
    link::keep("publisher", &shared.config, || async {
        let mut outbox = outbox.lock().await;
        let connection = link::connect("publisher", &shared.config).await?;
        let mut publisher = Publisher::start(&shared, connection).await?;
        shared.up.send_modify(|up| up.publishing = true);
        let ended = publisher.live(&mut outbox).await;
        shared.up.send_modify(|up| up.publishing = false);
        publisher.give_up();
        ended
    })
    .await;
}

/// One life of the publishing connection.
struct Publisher<'a> {
    shared: &'a Shared,
    connection: Connection,
    channel: Channel,
    /// Lines that are known to be there.
    known: HashSet<Line>,
    unconfirmed: FuturesUnordered<BoxFuture<'static, Confirmed>>,
}

/// What came of one message.
struct Confirmed {
    line: Line,
    hints: usize,
    told: Result<Confirmation, LinkError>,
}

impl<'a> Publisher<'a> {
    async fn start(shared: &'a Shared, connection: Connection) -> Result<Self, LinkError> {
        let channel = answered(connection.create_channel()).await?;
        answered(channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(Self {
            shared,
            connection,
            channel,
            known: HashSet::new(),
            unconfirmed: FuturesUnordered::new(),
        })
    }

    async fn live(&mut self, outbox: &mut Outbox) -> Result<Ended, LinkError> {
        loop {
            let has_room = self.unconfirmed.len() < UNCONFIRMED_MAX;
            tokio::select! {
                biased;
                Some(confirmed) = self.unconfirmed.next() => self.confirmed(confirmed)?,
                message = outbox.next(), if has_room => match message {
                    Some((message, is_first)) => {
                        let (line, hints) = (message.line(), message.hints.len());
                        if let Err((error, message)) = self.publish(message).await {
                            match is_first {
                                true => outbox.in_hand = Some(message),
                                false => self.shared.lost(&line, hints),
                            }
                            return Err(error);
                        }
                    }
                    None => return Ok(Ended::ForGood),
                },
                () = link::wait(LOOK_EVERY) => {
                    if !self.connection.status().connected() {
                        return Err(LinkError::Gone);
                    }
                }
            }
        }
    }

    /// Sends a message; gives it back when that fails.
    async fn publish(&mut self, message: Message) -> Result<(), (LinkError, Message)> {
        let (line, hints) = (message.line(), message.hints.len());
        // A node that blocks publishers would keep the message in the socket for as long.
        if self.connection.status().blocked() {
            self.shared.lost(&line, hints);
            return Ok(());
        }
        let sent = self.send(&line, &message).await;
        match sent {
            Ok(confirm) => {
                self.unconfirmed.push(Box::pin(async move {
                    let told = answered(confirm).await;
                    Confirmed { line, hints, told }
                }));
                Ok(())
            }
            Err(error) => Err((error, message)),
        }
    }

    async fn send(
        &mut self,
        line: &Line,
        message: &Message,
    ) -> Result<lapin::PublisherConfirm, LinkError> {
        let name = line.name(&self.shared.config.prefix);
        if !self.known.contains(line) {
            self.shared.ensure(&self.connection, &name).await?;
            self.known.insert(line.clone());
            self.shared.exists(line);
        }
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        let body = message.encode();
        answered(
            self.channel
                .basic_publish("".into(), name.into(), options, &body, properties),
        )
        .await
    }

    fn confirmed(&mut self, confirmed: Confirmed) -> Result<(), LinkError> {
        let Confirmed { line, hints, told } = confirmed;
        match told {
            Ok(Confirmation::Ack(None)) => return Ok(()),
            // Returned: somebody has removed the queue.
            Ok(Confirmation::Ack(Some(_)) | Confirmation::Nack(_)) => {
                self.known.remove(&line);
                self.shared.lost(&line, hints);
                return Ok(());
            }
            Ok(Confirmation::NotRequested) => return Ok(()),
            Err(_) => self.shared.lost(&line, hints),
        }
        match self.connection.status().blocked() {
            // It was sent when the node began to block: the connection is as good as before.
            true => Ok(()),
            false => told.map(|_| ()),
        }
    }

    /// What was not confirmed when the connection ended counts as lost.
    fn give_up(self) {
        for confirm in self.unconfirmed {
            if let Some(Confirmed { line, hints, .. }) =
                futures_util::FutureExt::now_or_never(confirm)
            {
                self.shared.lost(&line, hints);
            }
        }
    }
}
