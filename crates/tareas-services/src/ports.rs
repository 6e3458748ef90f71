//! Free ports of loopback.

use std::net::TcpListener;

/// A port of loopback that was free a moment ago. Another process may take it before the caller
/// does: whoever starts a service on it tries again with another one.
///
/// # Panics
/// When the machine has no free port.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("loopback has a free port")
        .port()
}
