//! Any client that speaks AMQP: sends, waits for answers, looks into queues.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicPublishOptions,
    ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tokio::runtime::Runtime;

/// Longest silence while answers are waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A message to be sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    pub(crate) body: String,
    pub(crate) id: Option<String>,
    pub(crate) correlation: Option<String>,
    pub(crate) reply_to: Option<String>,
    pub(crate) priority: Option<u8>,
}

/// A client, with a runtime of its own.
pub(crate) struct Client {
    runtime: Runtime,
    connection: Connection,
    channel: Channel,
    prefix: String,
}

impl Client {
    /// Connects to where the server is told to go.
    pub(crate) fn connect(url: &str, prefix: &str) -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().unwrap();
        let url = url.split('?').next().unwrap();
        let (connection, channel) = runtime.block_on(async {
            let properties = ConnectionProperties::default();
            let connection = Connection::connect(url, properties).await.unwrap();
            let channel = connection.create_channel().await.unwrap();
            let confirm = ConfirmSelectOptions::default();
            channel.confirm_select(confirm).await.unwrap();
            (connection, channel)
        });
        Self {
            runtime,
            connection,
            channel,
            prefix: prefix.to_owned(),
        }
    }

    /// Sends messages to the door, each persistent and confirmed, once there is one. What is not
    /// taken is sent again: a queue that was made a moment ago may have no leader yet.
    pub(crate) fn send(&self, mut messages: Vec<Message>) {
        self.runtime.block_on(async {
            while self.try_depth(".submit").await.is_none() {
                tokio::task::yield_now().await;
            }
            while !messages.is_empty() {
                messages = self.send_once(messages).await;
            }
        });
    }

    /// What was not taken.
    async fn send_once(&self, messages: Vec<Message>) -> Vec<Message> {
        let name: ShortString = format!("{}.submit", self.prefix).into();
        let mut sent = Vec::new();
        for message in messages {
            let (options, properties) = (BasicPublishOptions::default(), properties(&message));
            let body = message.body.as_bytes();
            let publish =
                self.channel
                    .basic_publish("".into(), name.clone(), options, body, properties);
            sent.push((publish.await.unwrap(), message));
        }
        let mut refused = Vec::new();
        for (confirm, message) in sent {
            if !confirm.await.unwrap().is_ack() {
                refused.push(message);
            }
        }
        refused
    }

    /// A queue for answers, which ends with this client.
    pub(crate) fn reply_queue(&self) -> String {
        let options = QueueDeclareOptions {
            exclusive: true,
            ..QueueDeclareOptions::default()
        };
        let declared = self
            .channel
            .queue_declare("".into(), options, FieldTable::default());
        self.runtime.block_on(declared).unwrap().name().to_string()
    }

    /// So many answers: what each is about, and what it says.
    pub(crate) fn receive(&self, queue: &str, count: usize) -> Vec<(Option<String>, String)> {
        self.runtime.block_on(async {
            let options = BasicConsumeOptions {
                no_ack: true,
                ..BasicConsumeOptions::default()
            };
            let none = FieldTable::default();
            let consumer = self
                .channel
                .basic_consume(queue.into(), "".into(), options, none);
            let mut consumer = consumer.await.unwrap();
            let mut answers = Vec::new();
            while answers.len() < count {
                let next = tokio::time::timeout(PATIENCE, consumer.next()).await;
                let next = next.unwrap_or_else(|_| panic!("{} of {count}", answers.len()));
                answers.push(answer(&next.unwrap().unwrap()));
            }
            answers
        })
    }

    /// How many messages wait in a queue of the door.
    pub(crate) fn depth(&self, suffix: &str) -> u32 {
        let depth = self.runtime.block_on(self.try_depth(suffix));
        depth.expect("there is such a queue")
    }

    async fn try_depth(&self, suffix: &str) -> Option<u32> {
        let channel = self.connection.create_channel().await.unwrap();
        let name = format!("{}{suffix}", self.prefix);
        let options = QueueDeclareOptions::durable().passive();
        let asked = channel.queue_declare(name.into(), options, FieldTable::default());
        asked.await.ok().map(|queue| queue.message_count())
    }

    /// Takes what was put aside: the code in its header, and its body.
    pub(crate) fn take_dead(&self, count: usize) -> Vec<(String, String)> {
        let name = format!("{}.submit.dead", self.prefix);
        self.runtime.block_on(async {
            let mut dead = Vec::new();
            for _ in 0..count {
                let options = BasicGetOptions::default();
                let got = self.channel.basic_get(name.as_str().into(), options).await;
                let got = got.unwrap().expect("as many as that");
                got.ack(BasicAckOptions::default()).await.unwrap();
                dead.push((header(&got.delivery, "x-tareas-code"), text(&got.data)));
            }
            dead
        })
    }

    /// A page of the server.
    #[expect(clippy::unused_self, reason = "it is the client who asks")]
    pub(crate) fn http(&self, authority: &str, path: &str) -> String {
        let mut socket = TcpStream::connect(authority).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut page = String::new();
        socket.read_to_string(&mut page).unwrap();
        page
    }
}

fn properties(message: &Message) -> BasicProperties {
    let mut properties = BasicProperties::default().with_delivery_mode(2);
    if let Some(id) = &message.id {
        properties = properties.with_message_id(id.as_str().into());
    }
    if let Some(id) = &message.correlation {
        properties = properties.with_correlation_id(id.as_str().into());
    }
    if let Some(to) = &message.reply_to {
        properties = properties.with_reply_to(to.as_str().into());
    }
    match message.priority {
        Some(priority) => properties.with_priority(priority),
        None => properties,
    }
}

fn answer(delivery: &Delivery) -> (Option<String>, String) {
    let correlation = delivery.properties.correlation_id().as_ref();
    (correlation.map(|id| id.to_string()), text(&delivery.data))
}

fn header(delivery: &Delivery, name: &str) -> String {
    let headers = delivery.properties.headers().as_ref();
    match headers.and_then(|headers| headers.inner().get(name)) {
        Some(AMQPValue::LongString(value)) => value.to_string(),
        other => panic!("{name} is {other:?}"),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
