//! Where a URL leads.

use std::net::IpAddr;

use hyper::Uri;
use tareas_engine::ports::EgressFault;
use tareas_engine::webhooks::URL_BYTES_MAX;

/// A URL that is not encrypted and does not lead to this machine.
pub(super) const NOT_HTTPS: EgressFault = EgressFault::Url("it should begin with https://");

/// A URL, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) is_encrypted: bool,
    /// As the header `Host` has it.
    pub(super) authority: String,
    /// A name, or an address as text, without brackets.
    pub(super) host: String,
    /// The address, when the host is one.
    pub(super) address: Option<IpAddr>,
    pub(super) port: u16,
    /// Path and query.
    pub(super) path: String,
}

impl Target {
    /// Reads a URL. Whatever could be read in two ways is not taken.
    pub(super) fn parse(url: &str) -> Result<Self, EgressFault> {
        let refuse = |why| Err(EgressFault::Url(why));
        if url.len() > URL_BYTES_MAX {
            return refuse("it is too long");
        }
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) || url.contains(['#', '\\', '@']) {
            return refuse("it has characters that it should not have");
        }
        let Ok(uri) = url.parse::<Uri>() else {
            return refuse("it cannot be read");
        };
        let is_encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(NOT_HTTPS),
        };
        let Some(authority) = uri.authority().filter(|known| !known.host().is_empty()) else {
            return refuse("it names no host");
        };
        let usual = if is_encrypted { 443 } else { 80 };
        let has_port = authority
            .as_str()
            .rsplit_once(']')
            .map_or(authority.as_str().contains(':'), |(_, rest)| {
                !rest.is_empty()
            });
        let port = match authority.port_u16() {
            None if has_port => return refuse("its port is none"),
            Some(0) => return refuse("its port is none"),
            port => port.unwrap_or(usual),
        };
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            is_encrypted,
            authority: authority.as_str().to_owned(),
            host: host.to_owned(),
            address: host.parse().ok(),
            port,
            path: path.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let of = |url: &str| {
            let target = Target::parse(url).unwrap();
            (target.is_encrypted, target.host, target.port, target.path)
        };
        let expected = |tls, host: &str, port, path: &str| (tls, host.into(), port, path.into());
        assert_eq!(
            of("https://a.example/x?y=z"),
            expected(true, "a.example", 443, "/x?y=z")
        );
        assert_eq!(
            of("http://127.0.0.1:81"),
            expected(false, "127.0.0.1", 81, "/")
        );
        assert_eq!(of("https://[::1]:8443/"), expected(true, "::1", 8443, "/"));
        assert!(
            Target::parse("https://[::ffff:10.0.0.1]/")
                .unwrap()
                .address
                .is_some()
        );
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_taken() {
        for url in [
            "",
            "example.org",
            "ftp://example.org",
            "file:///etc/passwd",
            "https://",
            "https://user@example.org/",
            "https://a.example\\@b.example/",
            "https://a b/",
            "https://a.example/#x",
            "https://a.example:0/",
            "https://a.example:99999/",
            "https://a.example:/",
            "https://exämple.org/",
            "https://a.example/\r\nHost: b",
            "gopher://127.0.0.1/",
            "//a.example/",
        ] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
        let long = format!("https://a.example/{}", "x".repeat(URL_BYTES_MAX));
        assert!(Target::parse(&long).is_err());
    }
}
