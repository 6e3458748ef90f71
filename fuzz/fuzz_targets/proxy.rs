//! The first bytes of a connection, as the header of a balancer.

#![no_main]

#[path = "../checks.rs"]
#[expect(dead_code, reason = "the other checks belong to the other targets")]
mod checks;

libfuzzer_sys::fuzz_target!(|first: &[u8]| checks::proxy(first));
