//! The lines face: text and JSON lines over one connection.
//!
//! | file | what it does |
//! |---|---|
//! | `connection` | the loop: read, work, write what is durable, sleep |
//! | `desk`, `gather`, `batch` | lines that submit tasks become calls of the engine |
//! | `reports`, `pieces`, `courier` | what a remote worker says, and what it is brought |
//! | `replies`, `help` | every other line, answered |
//! | `judge` | who speaks, and whether they may |
//! | `outbox`, `owed`, `queued`, `texts`, `tag` | what is owed, in which order it leaves, and when it may |
//! | `tell`, `recall` | acknowledgements and ends, written into the outbox |
//! | `logs` | what attempts have said, and what they say to whoever follows |
//! | `alarm`, `stop` | what else a connection may wait for |
//!
//! What a client may rely on is in `docs/protocol.md`. What the code relies on: only the
//! connection's own work takes bytes out of an outbox, it never waits while it holds its lock,
//! and nothing leaves before the position that it was decided at is durable.

mod alarm;
mod batch;
mod connection;
mod courier;
mod desk;
mod gather;
mod help;
mod judge;
mod logs;
mod outbox;
mod owed;
mod pieces;
mod queued;
mod recall;
mod replies;
mod reports;
mod stop;
mod tag;
mod tell;
mod texts;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use self::connection::Connection;
use self::desk::Desk;
use self::outbox::Outbox;
use crate::ServerState;

/// How long a client that was given everything may take to close its side.
const LINGER: Duration = Duration::from_secs(1);
/// How much of what such a client still sends is thrown away.
const LINGER_BYTES: usize = 16 * 1024 * 1024;

/// Serves one connection that speaks lines; `first` was read from it already.
pub async fn serve<S>(stream: S, first: BytesMut, peer: SocketAddr, state: Arc<ServerState>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let outbox = Arc::new(Outbox::new(&state.config));
    let desk = Desk::new(state, outbox, peer);
    let mut connection = Connection::new(stream, first, desk);
    let ended = connection.run().await;
    connection.leave_work().await;
    match ended {
        Ok(()) => {
            let is_open = connection.is_open();
            close(connection.into_stream(), is_open).await;
        }
        Err(reason) => tracing::debug!(%peer, %reason, "connection lost"),
    }
}

/// Ends a connection so that its last answers arrive: closing a socket on which unread bytes
/// wait would take them back.
async fn close<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, is_open: bool) {
    if stream.shutdown().await.is_err() || !is_open {
        return;
    }
    let until = Instant::now() + LINGER;
    let mut rest = vec![0; 4 * 1024];
    let mut thrown_away = 0;
    while thrown_away < LINGER_BYTES {
        match timeout_at(until, stream.read(&mut rest)).await {
            Ok(Ok(count)) if count > 0 => thrown_away += count,
            _ => return,
        }
    }
}
