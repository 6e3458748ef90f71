//! Free ports of loopback.

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Systems give out ports above these to outgoing connections.
const FIRST: u32 = 10_000;
const COUNT: u32 = 22_000;
/// Ports between those of one process and those of the next.
const APART: u32 = 31;

/// How many ports this process has tried.
static TRIED: AtomicU32 = AtomicU32::new(0);

/// A port of loopback that was free a moment ago.
///
/// It is none that an outgoing connection gets by itself, so a service that is started again on
/// its port finds it free. Another test may take it before the caller does: whoever starts a
/// service on it tries again with another one.
///
/// # Panics
/// When the machine has no free port.
pub fn free_port() -> u16 {
    let start = process::id().wrapping_mul(APART);
    let tries = (0..COUNT).map(|_| {
        let number = start.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed));
        u16::try_from(FIRST + number % COUNT).expect("below 32,000")
    });
    let mut free = tries.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().expect("loopback has a free port")
}
