//! How often an address may show a wrong token: a window of one minute, for a bounded number of
//! addresses. This machine is exempt: whoever is on it finds other ways, and a balancer that does
//! not say for whom it speaks must not lock everybody out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tareas_core::Timestamp;

/// Wrong tokens from one address within a window.
const FAILURES_MAX: u32 = 20;
/// The window.
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are remembered; beyond it those whose window is over are forgotten, and then
/// all: an attacker with so many addresses is not stopped by counting.
const ADDRESSES_MAX: usize = 8_192;

/// Who was wrong how often.
#[derive(Debug, Default)]
pub struct Failures(HashMap<IpAddr, Window>);

#[derive(Clone, Copy, Debug)]
struct Window {
    since: Timestamp,
    failures: u32,
}

impl Failures {
    /// How long this address has to wait before it may try again; `None` when it need not.
    pub fn wait(&self, address: IpAddr, now: Timestamp) -> Option<Duration> {
        let window = self.0.get(&neighbourhood(address))?;
        let left = WINDOW.saturating_sub(now.since(window.since));
        (window.failures >= FAILURES_MAX && !left.is_zero()).then_some(left)
    }

    /// Counts one.
    pub fn note(&mut self, address: IpAddr, now: Timestamp) {
        let address = neighbourhood(address);
        if address.is_loopback() {
            return;
        }
        if self.0.len() >= ADDRESSES_MAX && !self.0.contains_key(&address) {
            self.0.retain(|_, window| now.since(window.since) < WINDOW);
            if self.0.len() >= ADDRESSES_MAX {
                self.0.clear();
            }
        }
        let fresh = Window {
            since: now,
            failures: 0,
        };
        let window = self.0.entry(address).or_insert(fresh);
        if now.since(window.since) >= WINDOW {
            *window = fresh;
        }
        window.failures = window.failures.saturating_add(1);
    }
}

/// Whoever has one IPv6 address has the 2^64 around it.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn after(failures: u32, from: &str) -> Failures {
        let mut counted = Failures::default();
        (0..failures).for_each(|_| counted.note(from.parse().unwrap(), NOW));
        counted
    }

    fn wait(failures: &Failures, address: &str, now: Timestamp) -> Option<Duration> {
        failures.wait(address.parse().unwrap(), now)
    }

    #[test]
    fn an_address_that_is_often_wrong_waits_for_the_next_minute() {
        let almost = after(FAILURES_MAX - 1, "192.0.2.1");
        assert_eq!(wait(&almost, "192.0.2.1", NOW), None);
        let mut failures = after(FAILURES_MAX, "192.0.2.1");
        assert_eq!(wait(&failures, "192.0.2.1", NOW), Some(WINDOW));
        assert_eq!(wait(&failures, "192.0.2.2", NOW), None);
        assert_eq!(wait(&failures, "192.0.2.1", NOW + WINDOW), None);
        failures.note("192.0.2.1".parse().unwrap(), NOW + WINDOW);
        assert_eq!(wait(&failures, "192.0.2.1", NOW + WINDOW), None);
    }

    #[test]
    fn neighbours_count_together_and_this_machine_not_at_all() {
        let failures = after(FAILURES_MAX, "2001:db8::1");
        assert!(wait(&failures, "2001:db8::2", NOW).is_some());
        assert!(wait(&failures, "2001:db8:0:1::2", NOW).is_none());
        for own in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!(wait(&after(FAILURES_MAX * 2, own), own, NOW).is_none());
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut failures = Failures::default();
        for n in 0..2 * ADDRESSES_MAX as u32 {
            failures.note(IpAddr::from((0x0a00_0000 + n).to_be_bytes()), NOW);
        }
        assert!(failures.0.len() <= ADDRESSES_MAX);
    }
}
