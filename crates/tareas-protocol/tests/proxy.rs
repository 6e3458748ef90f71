//! The header of balancers: real ones, cut ones, wrong ones, and any bytes at all.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::net::SocketAddr;

use proptest::prelude::*;
use tareas_protocol::proxy::{HEADER_BYTES_MAX, NotProxy, ProxyHeader, is_header, read};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let mut header = SIGNATURE.to_vec();
    header.extend([command, family]);
    header.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
    header.extend(rest);
    header
}

/// What a balancer writes for a connection from `source`.
fn headers(source: SocketAddr, extra: &[u8]) -> [Vec<u8>; 2] {
    let (from, address, family, word) = match source {
        SocketAddr::V4(v4) => (v4.port(), v4.ip().octets().to_vec(), 0x11, "TCP4"),
        SocketAddr::V6(v6) => (v6.port(), v6.ip().octets().to_vec(), 0x21, "TCP6"),
    };
    let mut rest = [&address[..], &address].concat();
    rest.extend(from.to_be_bytes());
    rest.extend(443_u16.to_be_bytes());
    rest.extend(extra);
    let ip = source.ip();
    let line = format!("PROXY {word} {ip} {ip} {from} 443\r\n");
    [line.into_bytes(), binary(0x21, family, &rest)]
}

#[test]
fn a_balancer_may_speak_for_itself() {
    for header in [
        b"PROXY UNKNOWN\r\n".to_vec(),
        b"PROXY UNKNOWN ffff:f...f:ffff 65535\r\n".to_vec(),
        binary(0x20, 0x00, b""),
        binary(0x20, 0x11, &[1; 12]),
        binary(0x21, 0x00, b"whatever"),
        binary(0x21, 0x31, &[0; 216]),
    ] {
        let found = read(&header).unwrap().unwrap();
        assert_eq!((found.source, found.bytes), (None, header.len()));
    }
}

#[test]
fn what_is_no_header_is_refused() {
    let malformed: &[&[u8]] = &[
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
        b"PROXY TCP4 ::1 ::1 1 2\r\n",
        b"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
        b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY \xff\r\n",
    ];
    for line in malformed {
        assert_eq!(
            read(line),
            Err(NotProxy::Malformed),
            "{}",
            line.escape_ascii()
        );
    }
    for header in [
        binary(0x11, 0x11, &[0; 12]),
        binary(0x22, 0x11, &[0; 12]),
        binary(0x21, 0x12, &[0; 12]),
        binary(0x21, 0x11, &[0; 11]),
        binary(0x21, 0x21, &[0; 35]),
    ] {
        assert_eq!(read(&header), Err(NotProxy::Malformed));
    }
    for bytes in [
        &b"sumar 2 + 2\n"[..],
        b"GET / HTTP/1.1",
        b"\r\n\r\nx",
        b"PROXIES",
    ] {
        assert_eq!(read(bytes), Err(NotProxy::Missing));
    }
}

#[test]
fn a_header_has_an_end() {
    let endless = [&b"PROXY TCP4 "[..], &[b'1'; 200]].concat();
    assert_eq!(read(&endless), Err(NotProxy::TooLong));
    let long = binary(0x21, 0x11, &[0; 217]);
    assert_eq!(read(&long[..16]), Err(NotProxy::TooLong));
}

#[test]
fn plain_listeners_know_a_header_and_let_text_be() {
    for header in headers("192.0.2.1:5".parse().unwrap(), b"") {
        assert!(is_header(&header));
    }
    for text in [
        &b""[..],
        b"\r\n",
        b"\r\n\r\n",
        b"PROXY",
        b"PROXY war\n",
        b"proxy TCP4 ",
    ] {
        assert!(!is_header(text), "{}", text.escape_ascii());
    }
}

fn any_source() -> impl Strategy<Value = SocketAddr> {
    let address = prop_oneof![
        any::<[u8; 4]>().prop_map(std::net::IpAddr::from),
        any::<[u8; 16]>().prop_map(std::net::IpAddr::from),
    ];
    (address, any::<u16>()).prop_map(SocketAddr::from)
}

proptest! {
    #[test]
    fn every_source_is_read_back_from_any_cut(
        source in any_source(),
        extra in proptest::collection::vec(any::<u8>(), 0..100),
        after in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        for header in headers(source, &extra) {
            for cut in 0..header.len() {
                prop_assert_eq!(read(&header[..cut]), Ok(None), "cut at {}", cut);
            }
            let bytes = header.len();
            let whole = Ok(Some(ProxyHeader { source: Some(source), bytes }));
            prop_assert_eq!(read(&header), whole);
            prop_assert_eq!(read(&[header, after.clone()].concat()), whole);
        }
    }

    #[test]
    fn no_bytes_confuse_it(
        start in prop_oneof![
            Just(Vec::new()), Just(b"PROXY ".to_vec()), Just(SIGNATURE.to_vec()),
            Just(binary(0x21, 0x11, b"")[..14].to_vec()), Just(b"PROXY TCP4 ".to_vec()),
        ],
        rest in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let bytes = [start, rest].concat();
        match read(&bytes) {
            Ok(Some(header)) => {
                prop_assert!(header.bytes <= bytes.len().min(HEADER_BYTES_MAX));
                prop_assert_eq!(read(&bytes[..header.bytes]), Ok(Some(header)));
            }
            Ok(None) => prop_assert!(bytes.len() < HEADER_BYTES_MAX),
            Err(_) => {}
        }
    }
}
