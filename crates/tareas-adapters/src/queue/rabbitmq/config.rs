//! Where the node is and how its objects are named: one URL.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use lapin::uri::AMQPUri;
use tareas_core::Kind;

/// How the names of all objects begin, if not said.
const PREFIX: &str = "tareas";
/// Seconds between two signs of life on a silent connection, if not said.
const HEARTBEAT_SECONDS: u16 = 10;
/// Longest prefix, so that every name fits into 255 bytes.
const PREFIX_BYTES_MAX: usize = 64;

/// How to reach RabbitMQ: `amqp://USER:PASS@HOST:PORT/VHOST`, `amqps://…`, with `?prefix=NAME`
/// to keep several systems apart in one virtual host.
#[derive(Clone)]
pub struct RabbitmqConfig {
    pub(super) uri: AMQPUri,
    pub(super) prefix: String,
    /// Kinds that every pool has; `None` for all of them.
    pub(super) everywhere: Option<Arc<HashSet<Kind>>>,
}

/// Why a URL does not say where RabbitMQ is. Holds nothing of the URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a URL of RabbitMQ: {0}")]
pub struct InvalidUrl(String);

impl RabbitmqConfig {
    /// Reads a URL.
    ///
    /// # Errors
    /// When it is none, or its prefix is not of letters, digits, `.`, `_` and `-`.
    pub fn parse(url: &str) -> Result<Self, InvalidUrl> {
        let (url, prefix) = without_prefix(url);
        let prefix = prefix.unwrap_or(PREFIX).to_owned();
        let is_fine = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if prefix.is_empty() || prefix.len() > PREFIX_BYTES_MAX || !prefix.chars().all(is_fine) {
            return Err(InvalidUrl("the prefix is not a name".to_owned()));
        }
        let mut uri: AMQPUri = url.parse().map_err(InvalidUrl)?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        Ok(Self {
            uri,
            prefix,
            everywhere: None,
        })
    }

    /// Names the kinds that every pool has. Tasks of others go ways of their own, each to the
    /// pools that want its kind.
    #[must_use]
    pub fn with_kinds_everywhere(self, kinds: HashSet<Kind>) -> Self {
        let everywhere = Some(Arc::new(kinds));
        Self { everywhere, ..self }
    }

    /// Host and port, for messages.
    pub fn place(&self) -> String {
        let authority = &self.uri.authority;
        format!("{}:{}", authority.host, authority.port)
    }
}

/// Takes `prefix=…` out of the query.
fn without_prefix(url: &str) -> (String, Option<&str>) {
    let Some((base, query)) = url.split_once('?') else {
        return (url.to_owned(), None);
    };
    let prefix = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("prefix="));
    let others: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("prefix="))
        .collect();
    match others.is_empty() {
        true => (base.to_owned(), prefix),
        false => (format!("{base}?{}", others.join("&")), prefix),
    }
}

impl fmt::Debug for RabbitmqConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitmqConfig")
            .field("place", &self.place())
            .field("vhost", &self.uri.vhost)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_ours_and_the_rest_is_of_the_protocol() {
        let config = RabbitmqConfig::parse("amqp://u:hidden@h:1/v?prefix=t1&heartbeat=3").unwrap();
        assert_eq!(config.prefix, "t1");
        assert_eq!(config.uri.query.heartbeat.map(u64::from), Some(3));
        assert_eq!(
            (config.place().as_str(), config.uri.vhost.as_str()),
            ("h:1", "v")
        );
        assert!(!format!("{config:?}").contains("hidden"));
        let config = RabbitmqConfig::parse("amqp://h").unwrap();
        assert_eq!(
            (config.prefix.as_str(), config.uri.vhost.as_str()),
            ("tareas", "/")
        );
    }

    #[test]
    fn other_urls_are_refused() {
        for url in ["", "http://h", "amqp://h?prefix=", "amqp://h?prefix=a/b"] {
            assert!(RabbitmqConfig::parse(url).is_err(), "{url}");
        }
    }
}
