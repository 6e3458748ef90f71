//! A look at RabbitMQ for whoever sets a system up: reachable, new enough, allowed, not blocked.
//!
//! Everything is tried on a queue of its own name, which is gone afterwards.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeleteOptions};
use lapin::{BasicProperties, Confirmation, Connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::RabbitmqConfig;
use super::link::{self, LinkError, answered};

/// How long a confirm may take where nothing is wrong.
const CONFIRM_WITHIN: Duration = Duration::from_secs(5);
/// How long the greeting may take.
const GREETING_WITHIN: Duration = Duration::from_secs(2);
/// The part of the greeting that is read.
const GREETING_BYTES: usize = 4 * 1024;
/// What a client of AMQP 0-9-1 says first.
const HELLO: &[u8] = b"AMQP\x00\x00\x09\x01";
/// How the greeting says which version it is: a name and the type of its value, a text.
const VERSION: &[u8] = b"\x07versionS";

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Host and port.
    pub place: String,
    /// Its version, where the greeting is not encrypted.
    pub version: Option<String>,
    /// Whether a quorum queue could be made, written to, and removed.
    pub queue: Tried,
}

/// What came of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// All of it went well.
    Fine,
    /// It was not made; what was said. An operator may have made the queues.
    NotMade(String),
    /// A message was not confirmed: an alarm (memory, disk) blocks whoever publishes.
    Blocked,
}

/// Looks at the node that a configuration names.
///
/// # Errors
/// What is wrong, in words of the driver, when nobody answers or the account is refused.
pub async fn survey(config: &RabbitmqConfig) -> Result<Survey, String> {
    let version = version(config).await;
    let connection = link::connect("doctor", config)
        .await
        .map_err(|error| error.to_string())?;
    let tried = try_queue(&connection, config).await;
    // A node with an alarm does not read on where something was published: no goodbye there.
    if tried != Tried::Blocked {
        link::close(&connection).await;
    }
    Ok(Survey {
        place: config.place(),
        version,
        queue: tried,
    })
}

async fn try_queue(connection: &Connection, config: &RabbitmqConfig) -> Tried {
    // A hasher without input is as good as a die.
    let chance = RandomState::new().build_hasher().finish();
    let name = format!("{}.doctor.{chance:016x}", config.prefix);
    if let Err(error) = link::ensure(connection, &name).await {
        return Tried::NotMade(error.to_string());
    }
    let written = timeout(CONFIRM_WITHIN, write(connection, &name)).await;
    let removed = remove(config, &name).await;
    match (written, removed) {
        (Ok(Ok(true)), Ok(())) => Tried::Fine,
        (Ok(Err(error)), _) | (Ok(Ok(true)), Err(error)) => Tried::NotMade(error.to_string()),
        (Ok(Ok(false)) | Err(_), _) => Tried::Blocked,
    }
}

/// Whether a message is confirmed.
async fn write(connection: &Connection, name: &str) -> Result<bool, LinkError> {
    let channel = answered(connection.create_channel()).await?;
    answered(channel.confirm_select(ConfirmSelectOptions::default())).await?;
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    let sent = channel.basic_publish("".into(), name.into(), options, b"doctor", properties);
    let confirmed = answered(sent).await?.await?;
    Ok(matches!(confirmed, Confirmation::Ack(None)))
}

/// Over a connection that has published nothing, which no alarm holds up.
async fn remove(config: &RabbitmqConfig, name: &str) -> Result<(), LinkError> {
    let connection = link::connect("doctor", config).await?;
    let channel = answered(connection.create_channel()).await?;
    let removed = channel.queue_delete(name.into(), QueueDeleteOptions::default());
    answered(removed).await?;
    link::close(&connection).await;
    Ok(())
}

/// The version that the node greets with.
async fn version(config: &RabbitmqConfig) -> Option<String> {
    let authority = &config.uri.authority;
    let greeted = timeout(GREETING_WITHIN, async {
        let mut stream = TcpStream::connect((authority.host.as_str(), authority.port)).await?;
        stream.write_all(HELLO).await?;
        let mut greeting = Vec::with_capacity(GREETING_BYTES);
        while greeting.len() < GREETING_BYTES && version_in(&greeting).is_none() {
            if stream.read_buf(&mut greeting).await? == 0 {
                break;
            }
        }
        std::io::Result::Ok(greeting)
    });
    version_in(&greeted.await.ok()?.ok()?)
}

fn version_in(greeting: &[u8]) -> Option<String> {
    let at = greeting
        .windows(VERSION.len())
        .position(|window| window == VERSION)?;
    let (length, rest) = greeting[at + VERSION.len()..].split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let text = rest.get(..length)?;
    text.is_ascii()
        .then(|| String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_a_greeting() {
        let greeting = b"\x01\0\0....\x07productS\0\0\0\x08RabbitMQ\x07versionS\0\0\0\x063.10.8";
        assert_eq!(version_in(greeting).as_deref(), Some("3.10.8"));
        assert_eq!(version_in(&greeting[..greeting.len() - 1]), None);
        assert_eq!(version_in(b"HTTP/1.1 400"), None);
    }
}
