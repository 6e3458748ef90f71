//! The first bytes of a connection, as the header of a balancer.

#![no_main]

use tareas_protocol::proxy::read;

libfuzzer_sys::fuzz_target!(|first: &[u8]| {
    if let Ok(Some(header)) = read(first) {
        assert_eq!(read(&first[..header.bytes]), Ok(Some(header)));
        assert!((0..header.bytes).all(|cut| read(&first[..cut]) == Ok(None)));
    }
});
