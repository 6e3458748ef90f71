//! One connection to RabbitMQ, and the loop that builds it again when it is lost.
//!
//! The driver's own recovery is not used: whatever goes wrong ends the life of the connection,
//! and the next one begins with nothing. Waits between tries are drawn between nothing and a
//! bound that doubles, so that many processes do not come back at once.

use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, ConnectionProperties, ErrorKind};

use super::config::RabbitmqConfig;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long any single answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Bound of the first wait after a failure.
const BACKOFF_INITIAL: Duration = Duration::from_millis(100);
/// Bound of the longest one.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// A connection that lived so long was fine.
const FINE_AFTER: Duration = Duration::from_secs(10);
/// The reply code of "there is no such queue".
const NOT_FOUND: u16 = 404;
/// The reply code of an orderly end.
const GOODBYE: u16 = 200;

/// Why the life of a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    /// The driver says so.
    #[error(transparent)]
    Driver(#[from] lapin::Error),
    /// Nothing came back in time.
    #[error("RabbitMQ did not answer in time")]
    TimedOut,
    /// It is gone, and nobody was told why.
    #[error("the connection is gone")]
    Gone,
}

/// What an orderly end of a connection's life asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Nothing more.
    ForGood,
    /// Another life, at once.
    ToBeginAnew,
}

/// Lives one life after the other until one ends for good.
pub(super) async fn keep<L: Future<Output = Result<Ended, LinkError>>>(
    role: &'static str,
    config: &RabbitmqConfig,
    mut live: impl FnMut() -> L,
) {
    let mut failures = 0;
    loop {
        let began = Instant::now();
        let ended = live().await;
        if began.elapsed() > FINE_AFTER {
            failures = 0;
        }
        match ended {
            Ok(Ended::ForGood) => return,
            Ok(Ended::ToBeginAnew) => continue,
            Err(error) if failures == 0 => {
                tracing::warn!(%error, role, place = %config.place(), "RabbitMQ is lost");
            }
            Err(error) => tracing::debug!(%error, role, "RabbitMQ is still lost"),
        }
        wait(full_jitter(failures)).await;
        failures = failures.saturating_add(1);
    }
}

/// Connects.
pub(super) async fn connect(
    role: &'static str,
    config: &RabbitmqConfig,
) -> Result<Connection, LinkError> {
    let name = format!("{} {role}", config.prefix);
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let connecting = Connection::connect_uri(config.uri.clone(), properties);
    let connection = tokio::time::timeout(CONNECT_TIMEOUT, connecting)
        .await
        .map_err(|_| LinkError::TimedOut)??;
    tracing::info!(role, place = %config.place(), "connected to RabbitMQ");
    Ok(connection)
}

/// Says goodbye; unacknowledged messages go back to their queues.
pub(super) async fn close(connection: &Connection) {
    // It may be gone already, which comes to the same.
    let _ = answered(connection.close(GOODBYE, "".into())).await;
}

/// An answer that comes in time.
pub(super) async fn answered<T>(
    answer: impl Future<Output = lapin::Result<T>>,
) -> Result<T, LinkError> {
    match tokio::time::timeout(ANSWER_TIMEOUT, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(LinkError::TimedOut),
    }
}

/// Makes sure that a queue is there. It is only made when it is missing, so that an account
/// without the right to configure works where an operator has made the queues.
pub(super) async fn ensure(connection: &Connection, name: &str) -> Result<(), LinkError> {
    if measure(connection, name).await?.is_some() {
        return Ok(());
    }
    let channel = answered(connection.create_channel()).await?;
    let mut arguments = FieldTable::default();
    arguments.insert(
        "x-queue-type".into(),
        AMQPValue::LongString("quorum".into()),
    );
    let options = QueueDeclareOptions::durable();
    match answered(channel.queue_declare(name.into(), options, arguments)).await {
        Ok(_) => answered(channel.close(GOODBYE, "".into())).await,
        // Another process may have made it at the same time.
        Err(error) => match measure(connection, name).await? {
            Some(_) => Ok(()),
            None => Err(error),
        },
    }
}

/// How many messages wait in a queue; `None` when there is no such queue.
pub(super) async fn measure(
    connection: &Connection,
    name: &str,
) -> Result<Option<usize>, LinkError> {
    // The answer "there is none" ends the channel that asked.
    let channel = answered(connection.create_channel()).await?;
    let options = QueueDeclareOptions::durable().passive();
    let asked = channel.queue_declare(name.into(), options, FieldTable::default());
    match answered(asked).await {
        Ok(queue) => {
            answered(channel.close(GOODBYE, "".into())).await?;
            Ok(Some(
                usize::try_from(queue.message_count()).unwrap_or(usize::MAX),
            ))
        }
        Err(LinkError::Driver(error)) if is_not_found(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_not_found(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(told) if told.get_id() == NOT_FOUND)
}

fn full_jitter(failures: u32) -> Duration {
    let bound = BACKOFF_INITIAL
        .saturating_mul(1 << failures.min(16))
        .min(BACKOFF_MAX);
    let micros = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
    // A hasher without input is as good as a die.
    let chance = RandomState::new().build_hasher().finish();
    Duration::from_micros(chance % (micros + 1))
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is waited for is a network, which heeds no clock of a test"
)]
pub(super) async fn wait(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_bounded_and_differ() {
        for failures in [0, 3, 40, u32::MAX] {
            assert!(full_jitter(failures) <= BACKOFF_MAX);
        }
        let waits: std::collections::BTreeSet<_> = (0..20).map(|_| full_jitter(9)).collect();
        assert!(waits.len() > 10);
    }
}
