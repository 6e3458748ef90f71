//! Where a server is: `tcp://HOST:PORT` or `tls://HOST:PORT`, as people write it.

use std::fmt;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::time::Duration;

use crate::stream::Stream;
use crate::{Credentials, Error};

/// The port when none is said.
const PORT: u16 = 5000;

/// Host and port of a server.
///
/// Reads `tcp://HOST:PORT`, `http://HOST:PORT` (the port speaks both) and plain `HOST:PORT`, and
/// for encrypted connections `tls://HOST:PORT` and `https://HOST:PORT`; the port may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
    is_encrypted: bool,
}

impl Address {
    /// A host name or IP address, and a port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            is_encrypted: false,
        }
    }

    /// `HOST:PORT`, with brackets around an IPv6 address.
    pub fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// Whether connections to it are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Connects, encrypted if the address says so.
    pub(crate) fn open(&self, timeout: Duration, shown: &Credentials) -> io::Result<Stream> {
        let tcp = self.connect(timeout)?;
        match self.is_encrypted {
            true => Stream::encrypted(tcp, &self.host, shown, timeout),
            false => Ok(Stream::plain(tcp)),
        }
    }

    /// Connects to the first of its addresses that answers.
    pub(crate) fn connect(&self, timeout: Duration) -> io::Result<TcpStream> {
        let mut failed = None;
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => failed = Some(error),
            }
        }
        let nowhere = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        Err(failed.unwrap_or_else(nowhere))
    }
}

impl Default for Address {
    fn default() -> Self {
        Self::new("127.0.0.1", PORT)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_encrypted { "tls" } else { "tcp" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |reason| Error::Address {
            text: text.to_owned(),
            reason,
        };
        let (is_encrypted, rest) = match text.split_once("://") {
            None => (false, text),
            Some(("tcp" | "http", rest)) => (false, rest),
            Some(("tls" | "https", rest)) => (true, rest),
            Some(_) => return Err(wrong("the scheme is tcp://, tls://, http:// or https://")),
        };
        let rest = rest.trim_end_matches('/');
        let (host, port) = split(rest).ok_or_else(|| wrong("expected HOST:PORT"))?;
        let port = match port {
            Some(port) => port
                .parse()
                .map_err(|_| wrong("the port is a number up to 65535"))?,
            None => PORT,
        };
        match host.is_empty() || host.contains(['/', '@', ' ']) {
            true => Err(wrong("expected HOST:PORT")),
            false => Ok(Self {
                is_encrypted,
                ..Self::new(host, port)
            }),
        }
    }
}

/// Host, without brackets, and port.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        return match port {
            "" => Some((host, None)),
            _ => Some((host, Some(port.strip_prefix(':')?))),
        };
    }
    match text.rsplit_once(':') {
        // More than one colon without brackets: an IPv6 address alone.
        Some((host, _)) if host.contains(':') => Some((text, None)),
        Some((host, port)) => Some((host, Some(port))),
        None => Some((text, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let table = [
            ("tcp://127.0.0.1:5000", "127.0.0.1:5000"),
            ("http://localhost:8080/", "localhost:8080"),
            ("box", "box:5000"),
            ("box:7", "box:7"),
            ("[::1]:5001", "[::1]:5001"),
            ("tcp://[::1]", "[::1]:5000"),
            ("::1", "[::1]:5000"),
        ];
        for (text, authority) in table {
            assert_eq!(
                text.parse::<Address>().unwrap().authority(),
                authority,
                "{text}"
            );
        }
    }

    #[test]
    fn an_encrypted_address_says_so() {
        for text in ["tls://box:7", "https://box:7/"] {
            let address = text.parse::<Address>().unwrap();
            assert!(address.is_encrypted());
            assert_eq!(address.to_string(), "tls://box:7");
        }
        assert!(!"box:7".parse::<Address>().unwrap().is_encrypted());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "", ":5000", "tcp://", "ftp://x", "x:70000", "x:y", "a/b", "a b",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
