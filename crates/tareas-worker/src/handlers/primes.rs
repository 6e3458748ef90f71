//! `primes`: how many primes there are up to a number; a task that keeps a core busy.
//!
//! A segmented sieve of Eratosthenes over the odd numbers: memory stays at some hundred
//! kilobytes, and between two segments the attempt can be ended.

use bytes::Bytes;

use super::payload::{Payload, invalid};
use crate::{Context, HandlerError, Interrupted, Registry};

const USAGE: &str = "primes takes an integer, at most 10000000000: `primes 100` or {\"to\":100}";
const TO_MAX: u64 = 10_000_000_000;
/// Odd numbers in a segment: one byte each, to fit the innermost cache.
const SEGMENT: usize = 32 * 1024;

pub(super) fn register(registry: &mut Registry) {
    registry
        .register_raw("primes", primes)
        .describe(
            "How many primes there are up to N.",
            "Cuántos primos hay hasta N.",
        )
        .example("primes 5000000", r#"{"op":"primes","to":5000000}"#)
        .not_retryable();
}

fn primes(context: &Context, payload: Bytes) -> Result<Bytes, HandlerError> {
    let to = Payload::read(&payload, USAGE)?.into_number("to", USAGE)?;
    if to.is_integer() && to.is_negative() {
        return Ok(Bytes::from_static(b"0"));
    }
    let to = to.to_u64().filter(|to| *to <= TO_MAX);
    let to = to.ok_or_else(|| invalid("that is not a limit", USAGE))?;
    Ok(Bytes::from(count(context, to)?.to_string()))
}

/// A prime and the next odd multiple to strike out, as an index among the odd numbers.
struct Striker {
    prime: usize,
    next: usize,
}

fn count(context: &Context, to: u64) -> Result<u64, Interrupted> {
    if to < 2 {
        return Ok(0);
    }
    // Index i stands for 2i + 1. Index 0, which is 1, counts in place of 2, the even prime.
    let end = usize::try_from(to.div_ceil(2)).unwrap_or(usize::MAX);
    let mut strikers = strikers(to.isqrt());
    let mut segment = vec![true; SEGMENT];
    let mut found = 0;
    for start in (0..end).step_by(SEGMENT) {
        context.check()?;
        context.progress(start as f64 / end as f64 * 100.0, "");
        let length = SEGMENT.min(end - start);
        segment.fill(true);
        for striker in &mut strikers {
            striker.strike(&mut segment[..length], start);
        }
        found += segment[..length].iter().filter(|prime| **prime).count() as u64;
    }
    Ok(found)
}

impl Striker {
    fn strike(&mut self, segment: &mut [bool], start: usize) {
        let mut at = self.next - start.min(self.next);
        while at < segment.len() {
            segment[at] = false;
            at += self.prime;
        }
        self.next = start + at;
    }
}

/// The odd primes up to `root`, each beginning at its square.
fn strikers(root: u64) -> Vec<Striker> {
    let root = usize::try_from(root).unwrap_or(usize::MAX);
    let mut composite = vec![false; root + 1];
    let mut strikers = Vec::new();
    for candidate in (3..=root).step_by(2) {
        if composite[candidate] {
            continue;
        }
        strikers.push(Striker {
            prime: candidate,
            next: candidate * candidate / 2,
        });
        for multiple in (candidate * candidate..=root).step_by(2 * candidate) {
            composite[multiple] = true;
        }
    }
    strikers
}
