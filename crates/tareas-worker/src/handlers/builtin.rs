//! The kinds that every installation has, so that the first minute works.
//!
//! Wrong input is rejected at the first attempt; only `fail` ever asks for another one.

use super::{arithmetic, calc, fail, primes, sleep, square, text};
use crate::Registry;

/// Registers all built-in kinds.
pub fn register_all(registry: &mut Registry) {
    text::register(registry);
    square::register(registry);
    calc::register(registry);
    arithmetic::register(registry);
    primes::register(registry);
    sleep::register(registry);
    fail::register(registry);
}
