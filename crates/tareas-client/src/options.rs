//! How a client behaves: its limits, its language, and who hears of a lost connection.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tareas_protocol::Lang;

use crate::{Address, Credentials};

/// What happens to the connection, for programs that want to say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The connection ended; this many requests have no answer yet.
    Lost {
        /// Unanswered requests.
        pending: usize,
    },
    /// The server did not answer; the next try comes after this time.
    Retrying {
        /// The pause.
        after: Duration,
    },
    /// Connected again; what had no answer was sent again.
    Reconnected {
        /// To whom.
        address: Address,
    },
}

/// Hears of events; see [`Options::on_event`].
pub type OnEvent = Arc<dyn Fn(&Event) + Send + Sync>;

/// How a client behaves.
#[derive(Clone)]
pub struct Options {
    /// How long one attempt to connect may take.
    pub connect_timeout: Duration,
    /// How often the first connection is tried.
    pub connect_tries: u32,
    /// How long an immediate answer (an acknowledgement, a status) may take.
    pub answer_timeout: Duration,
    /// How long to go on trying after a connection was lost.
    pub reconnect_for: Duration,
    /// What it shows of itself, and whom it believes.
    pub credentials: Credentials,
    /// The language of messages and hints.
    pub lang: Lang,
    /// Hears of a lost connection. Called on threads of the client; must not block.
    pub on_event: Option<OnEvent>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            connect_tries: 3,
            answer_timeout: Duration::from_secs(30),
            reconnect_for: Duration::from_secs(30),
            credentials: Credentials::default(),
            lang: Lang::En,
            on_event: None,
        }
    }
}

impl Options {
    pub(crate) fn tell(&self, event: &Event) {
        if let Some(listener) = &self.on_event {
            listener(event);
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("connect_timeout", &self.connect_timeout)
            .field("connect_tries", &self.connect_tries)
            .field("answer_timeout", &self.answer_timeout)
            .field("reconnect_for", &self.reconnect_for)
            .field("lang", &self.lang)
            .finish_non_exhaustive()
    }
}
