//! A stream of bytes, cut into packets and lines.

#![no_main]

#[path = "../checks.rs"]
#[expect(dead_code, reason = "the check of balancers belongs to another target")]
mod checks;

libfuzzer_sys::fuzz_target!(|stream: &[u8]| checks::line(stream));
