//! The header with which a balancer tells whose connection it hands over: PROXY protocol,
//! versions 1 and 2.
//!
//! [`read`] looks at the first bytes of a connection and takes nothing it is not sure of: a
//! header is complete, or more bytes are needed, or this is no header. It never reads beyond the
//! header and never asks for more than [`HEADER_BYTES_MAX`] bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest header that is read: one of version 2 with a pair of Unix addresses. What a
/// balancer adds to a pair of IPv6 addresses may fill the difference.
pub const HEADER_BYTES_MAX: usize = 232;
/// The longest line of version 1, with its end.
const LINE_BYTES_MAX: usize = 107;

/// How a line of version 1 begins.
const WORD: &[u8] = b"PROXY ";
/// How a header of version 2 begins.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
const FIXED_BYTES: usize = 16;
/// So much of the signature is no run of empty lines any more.
const SIGNATURE_TOLD: usize = 5;

/// A complete header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyHeader {
    /// Who connected to the balancer; `None` when the balancer speaks for itself (its checks do)
    /// or does not know.
    pub source: Option<SocketAddr>,
    /// How many bytes the header takes.
    pub bytes: usize,
}

/// Why the first bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotProxy {
    /// They begin like something else.
    Missing,
    /// They begin like a header and go on like none.
    Malformed,
    /// The header is longer than [`HEADER_BYTES_MAX`].
    TooLong,
}

/// Reads the header that a connection begins with; `None` while it may still become one.
///
/// # Errors
/// When it does not begin with a header that can be read.
pub fn read(first: &[u8]) -> Result<Option<ProxyHeader>, NotProxy> {
    if begins(first, SIGNATURE) {
        return read_binary(first);
    }
    if begins(first, WORD) {
        return read_line(first);
    }
    Err(NotProxy::Missing)
}

/// Whether a connection begins as only balancers begin theirs: for listeners that take no
/// header. A text line `PROXY something` is none.
pub fn is_header(first: &[u8]) -> bool {
    let told = [&b"PROXY TCP4 "[..], b"PROXY TCP6 ", b"PROXY UNKNOWN"];
    first.len() >= SIGNATURE_TOLD && begins(first, SIGNATURE)
        || told.iter().any(|words| first.starts_with(words))
}

fn begins(bytes: &[u8], with: &[u8]) -> bool {
    let shared = bytes.len().min(with.len());
    bytes[..shared] == with[..shared]
}

/// `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n`
fn read_line(first: &[u8]) -> Result<Option<ProxyHeader>, NotProxy> {
    let window = &first[..first.len().min(LINE_BYTES_MAX)];
    let Some(end) = window.iter().position(|byte| *byte == b'\n') else {
        return match window.len() {
            LINE_BYTES_MAX => Err(NotProxy::TooLong),
            _ => Ok(None),
        };
    };
    let line = window[..end]
        .strip_suffix(b"\r")
        .and_then(|line| std::str::from_utf8(line).ok())
        .ok_or(NotProxy::Malformed)?;
    let mut words = line.split(' ').skip(1);
    let source = match words.next() {
        // Whatever follows is to be ignored.
        Some("UNKNOWN") => None,
        Some("TCP4") => Some(addresses::<Ipv4Addr>(words)?),
        Some("TCP6") => Some(addresses::<Ipv6Addr>(words)?),
        _ => return Err(NotProxy::Malformed),
    };
    Ok(Some(ProxyHeader {
        source,
        bytes: end + 1,
    }))
}

/// Source, destination and their ports; the destination must be there and is not used.
fn addresses<'a, A>(mut words: impl Iterator<Item = &'a str>) -> Result<SocketAddr, NotProxy>
where
    A: std::str::FromStr + Into<IpAddr>,
{
    let mut next = || words.next().ok_or(NotProxy::Malformed);
    let (source, destination, from, to) = (next()?, next()?, next()?, next()?);
    let address = |text: &str| text.parse::<A>().map_err(|_| NotProxy::Malformed);
    let (source, _) = (address(source)?, address(destination)?);
    let (from, _) = (port(from)?, port(to)?);
    match words.next() {
        None => Ok(SocketAddr::new(source.into(), from)),
        Some(_) => Err(NotProxy::Malformed),
    }
}

fn port(text: &str) -> Result<u16, NotProxy> {
    let is_plain =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let port = text.parse().ok().filter(|_| is_plain);
    port.ok_or(NotProxy::Malformed)
}

fn read_binary(first: &[u8]) -> Result<Option<ProxyHeader>, NotProxy> {
    let Some((fixed, rest)) = first.split_at_checked(FIXED_BYTES) else {
        return Ok(None);
    };
    let (version_and_command, family) = (fixed[12], fixed[13]);
    let length = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if !matches!(version_and_command, 0x20 | 0x21) {
        return Err(NotProxy::Malformed);
    }
    if FIXED_BYTES + length > HEADER_BYTES_MAX {
        return Err(NotProxy::TooLong);
    }
    let Some(rest) = rest.get(..length) else {
        return Ok(None);
    };
    let source = match version_and_command {
        // "Local": the balancer itself.
        0x20 => None,
        _ => source_of(family, rest)?,
    };
    Ok(Some(ProxyHeader {
        source,
        bytes: FIXED_BYTES + length,
    }))
}

/// The source in what follows the fixed part. Whatever stands behind the addresses is not used.
fn source_of(family: u8, rest: &[u8]) -> Result<Option<SocketAddr>, NotProxy> {
    match family {
        // Streams over IPv4 and IPv6: two addresses, two ports.
        0x11 => pair::<4, Ipv4Addr>(rest).map(Some),
        0x21 => pair::<16, Ipv6Addr>(rest).map(Some),
        // Unspecified, or through a Unix socket: nobody to name.
        0x00 | 0x31 => Ok(None),
        _ => Err(NotProxy::Malformed),
    }
}

fn pair<const N: usize, A: From<[u8; N]> + Into<IpAddr>>(
    rest: &[u8],
) -> Result<SocketAddr, NotProxy> {
    let source = rest.first_chunk::<N>().ok_or(NotProxy::Malformed)?;
    let ports = rest.get(2 * N..2 * N + 4).ok_or(NotProxy::Malformed)?;
    let port = u16::from_be_bytes([ports[0], ports[1]]);
    Ok(SocketAddr::new(A::from(*source).into(), port))
}
