//! Every limit of the sockets, by name and with its unit.
//!
//! They are values rather than constants so that tests can be quick. What bounds a line or a
//! JSON text itself is in [`tareas_protocol::limits`].

use std::time::Duration;

use tareas_protocol::limits::UNFRAMED_WAIT_MS;

/// Bytes asked of a socket by one read.
pub const READ_BYTES: usize = 256 * 1024;

/// What one server allows its connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once; `None` derives it from how many files the process may open.
    pub connections_max: Option<usize>,
    /// Connections that have not said anything yet; beyond it the oldest of them is closed.
    /// `None` is half of the connections, 64 at least.
    pub silent_connections_max: Option<usize>,
    /// Unanswered lines per connection; beyond it the connection is not read.
    pub open_lines_max: usize,
    /// Bytes of unanswered lines per connection; beyond it the connection is not read.
    pub open_bytes_max: usize,
    /// Bytes of answers that wait for a connection; beyond it results wait as ids only.
    pub outbox_bytes_max: usize,
    /// A connection that takes nothing of what waits for it is closed after this long.
    pub stalled_after: Duration,
    /// A connection that says nothing and is owed nothing is closed after this long.
    pub idle_after: Duration,
    /// With access control: a connection must show a token within this.
    pub authenticate_within: Duration,
    /// A line that has begun must end within this.
    pub line_within: Duration,
    /// Silence after which bytes without a newline count as a line.
    pub unframed_wait: Duration,
    /// Where connections begin with a PROXY header, it must be complete within this.
    pub proxy_header_within: Duration,
    /// A TLS handshake must be complete within this, the wait for its turn included.
    pub tls_within: Duration,
    /// An HTTP header that has begun must end within this.
    pub http_header_within: Duration,
    /// Bytes of an HTTP body.
    pub body_bytes_max: usize,
    /// An HTTP body must make some progress within this.
    pub http_body_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: None,
            silent_connections_max: None,
            open_lines_max: 16_384,
            open_bytes_max: 8 * 1024 * 1024,
            outbox_bytes_max: 1024 * 1024,
            stalled_after: Duration::from_secs(30),
            idle_after: Duration::from_secs(600),
            authenticate_within: Duration::from_secs(30),
            line_within: Duration::from_secs(30),
            unframed_wait: Duration::from_millis(UNFRAMED_WAIT_MS),
            proxy_header_within: Duration::from_secs(5),
            tls_within: Duration::from_secs(5),
            http_header_within: Duration::from_secs(5),
            body_bytes_max: 8 * 1024 * 1024,
            http_body_within: Duration::from_secs(30),
        }
    }
}
