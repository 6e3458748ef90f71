//! One line or body, through every decoder.

#![no_main]

#[path = "../checks.rs"]
#[expect(dead_code, reason = "the other checks belong to the other targets")]
mod checks;

libfuzzer_sys::fuzz_target!(|line: &[u8]| checks::envelope(line));
