//! What a connection speaks, told from its first bytes.

use tareas_protocol::proxy::is_header;

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sniffed {
    /// An HTTP request line, or the preface of HTTP/2.
    Http,
    /// A TLS hello.
    Tls,
    /// The PROXY header of a balancer.
    Proxy,
    /// Anything else.
    Lines,
    /// It may still become HTTP or TLS: more bytes are needed.
    Undecided,
}

const METHODS: [&[u8]; 10] = [
    b"GET ",
    b"HEAD ",
    b"POST ",
    b"PUT ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"CONNECT ",
    b"TRACE ",
    b"QUERY ",
];
/// What an HTTP/2 connection begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";
/// Record type and major version of a TLS handshake.
const HELLO: &[u8] = &[0x16, 0x03];
/// How the target of an HTTP request begins; a text line `GET home` is not one.
const TARGETS: [&[u8]; 4] = [b"/", b"*", b"http://", b"https://"];
/// What asks whether the server is alive or ready.
const PROBES: [&[u8]; 4] = [
    b"GET /livez",
    b"GET /readyz",
    b"HEAD /livez",
    b"HEAD /readyz",
];

/// Tells what a connection speaks from the bytes it has sent so far.
pub fn sniff(bytes: &[u8]) -> Sniffed {
    if is_header(bytes) {
        return Sniffed::Proxy;
    }
    let mut sniffed = Sniffed::Lines;
    let mut note = |begins: Begins, as_what| match begins {
        Begins::Yes => sniffed = as_what,
        Begins::Perhaps if sniffed == Sniffed::Lines => sniffed = Sniffed::Undecided,
        Begins::Perhaps | Begins::No => {}
    };
    note(begins(bytes, HELLO), Sniffed::Tls);
    note(begins(bytes, PREFACE), Sniffed::Http);
    for method in METHODS {
        match begins(bytes, method) {
            Begins::Yes => note(begins_with_target(&bytes[method.len()..]), Sniffed::Http),
            perhaps => note(perhaps, Sniffed::Http),
        }
    }
    sniffed
}

/// Whether a request for one of the two probes begins like this. They are sent in one piece.
pub(super) fn is_probe(bytes: &[u8]) -> bool {
    PROBES.iter().any(|probe| {
        let rest = bytes.strip_prefix(*probe);
        rest.is_some_and(|rest| matches!(rest.first(), Some(b' ' | b'?')))
    })
}

enum Begins {
    Yes,
    /// So far.
    Perhaps,
    No,
}

fn begins(bytes: &[u8], with: &[u8]) -> Begins {
    if bytes.starts_with(with) {
        Begins::Yes
    } else if with.starts_with(bytes) {
        Begins::Perhaps
    } else {
        Begins::No
    }
}

fn begins_with_target(bytes: &[u8]) -> Begins {
    let mut found = Begins::No;
    for target in TARGETS {
        match begins(bytes, target) {
            Begins::Yes => return Begins::Yes,
            Begins::Perhaps => found = Begins::Perhaps,
            Begins::No => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_decide() {
        let table: &[(&[u8], Sniffed)] = &[
            (b"GET / HTTP/1.1\r\n", Sniffed::Http),
            (b"POST /v1/tasks HTTP/1.1", Sniffed::Http),
            (b"OPTIONS * HTTP/1.1", Sniffed::Http),
            (b"QUERY /v1/tasks HTTP/1.1", Sniffed::Http),
            (b"GET http://localhost:5000/ HTTP/1.1", Sniffed::Http),
            (b"PRI * HTTP/2.0\r\n\r\nSM", Sniffed::Http),
            (b"\x16\x03\x01\x02\x00", Sniffed::Tls),
            (b"PROXY TCP4 192.0.2.1 192.0.2.1 1 2\r\n", Sniffed::Proxy),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11", Sniffed::Proxy),
            (b"sumar 2 + 2", Sniffed::Lines),
            (b"{\"op\":\"square\",\"n\":5}", Sniffed::Lines),
            (b"GET home", Sniffed::Lines),
            (b"GET\n", Sniffed::Lines),
            (b"GETTER /", Sniffed::Lines),
            (b"get / HTTP/1.1", Sniffed::Lines),
            (b"PRINT *", Sniffed::Lines),
            (b"\n", Sniffed::Lines),
            (b"\r\n", Sniffed::Lines),
            (b"PROXY war", Sniffed::Lines),
            (b"\xff\xfe", Sniffed::Lines),
        ];
        for (bytes, sniffed) in table {
            assert_eq!(sniff(bytes), *sniffed, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn probes_are_told_from_other_requests() {
        for probe in [
            "GET /livez HTTP/1.1\r\n",
            "HEAD /readyz?verbose HTTP/1.1\r\n",
        ] {
            assert!(is_probe(probe.as_bytes()), "{probe:?}");
        }
        for other in [
            "GET /",
            "GET /livezzz HTTP/1.1",
            "POST /livez HTTP/1.1",
            "livez",
            "",
        ] {
            assert!(!is_probe(other.as_bytes()), "{other:?}");
        }
    }

    #[test]
    fn too_few_bytes_decide_nothing() {
        for bytes in [
            &b""[..],
            b"G",
            b"POST",
            b"POST ",
            b"GET http:",
            b"PRI * HT",
            b"\x16",
        ] {
            assert_eq!(
                sniff(bytes),
                Sniffed::Undecided,
                "{}",
                String::from_utf8_lossy(bytes)
            );
        }
    }
}
