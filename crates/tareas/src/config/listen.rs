//! Where the server listens: for everybody, and for balancers.

use tareas_protocol::Lang;
use tareas_server::listener::TrustedProxies;

use super::layers::Configuration;
use crate::output::Failure;
use crate::text::Text;

/// Follows the address of a listener for balancers: `HOST:PORT,proxy`.
const PROXY: &str = "proxy";

/// The listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    /// For everybody, as `HOST:PORT`.
    pub(crate) plain: Vec<String>,
    /// For balancers: every connection there begins with a PROXY header.
    pub(crate) proxied: Vec<String>,
    /// From where such a header is believed.
    pub(crate) trusted: TrustedProxies,
}

impl Listen {
    /// From `bind` and `trusted_proxies`, checked for their form.
    pub(super) fn of(configuration: &Configuration, lang: Lang) -> Result<Self, Failure> {
        let (mut plain, mut proxied) = (Vec::new(), Vec::new());
        for (address, is_proxied) in listeners(configuration.list("bind")) {
            if !is_address(&address) {
                let setting = configuration.setting_of("bind");
                return Err(configuration.wrong(setting, Text::ExpectBind.plain(lang)));
            }
            let of_its_sort = if is_proxied { &mut proxied } else { &mut plain };
            of_its_sort.push(address);
        }
        let words = configuration.list("trusted_proxies").iter();
        let trusted = TrustedProxies::parse(words.flat_map(|words| words.split(',')));
        let trusted = trusted.map_err(|_| {
            let setting = configuration.setting_of("trusted_proxies");
            configuration.wrong(setting, Text::ExpectNetwork.plain(lang))
        })?;
        Ok(Self {
            plain,
            proxied,
            trusted,
        })
    }

    /// All addresses, as they were written.
    pub(crate) fn spoken(&self) -> String {
        let proxied = self
            .proxied
            .iter()
            .map(|address| format!("{address},{PROXY}"));
        let all: Vec<String> = self.plain.iter().cloned().chain(proxied).collect();
        all.join(", ")
    }
}

/// The addresses, and which are for balancers. The variable separates values by commas, so there
/// the word is a value of its own.
fn listeners(values: &[String]) -> Vec<(String, bool)> {
    let mut found: Vec<(String, bool)> = Vec::new();
    for part in values.iter().flat_map(|value| value.split(',')) {
        match (part.trim(), found.last_mut()) {
            (PROXY, Some((_, is_proxied @ false))) => *is_proxied = true,
            (address, _) => found.push((address.to_owned(), false)),
        }
    }
    found
}

fn is_address(text: &str) -> bool {
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    port.is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;

    fn listen(bind: &[&str], trusted: &[&str]) -> Result<Listen, Failure> {
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        let flags: Flags = vec![("bind", owned(bind)), ("trusted_proxies", owned(trusted))];
        let empty = tempfile::NamedTempFile::new().unwrap();
        let layers = Configuration::load(&flags, |_| None, Some(empty.path()), Lang::En)?;
        Listen::of(&layers, Lang::En)
    }

    #[test]
    fn listeners_for_balancers_are_told_apart() {
        let [written, split] = [
            &["127.0.0.1:1", "127.0.0.1:2,proxy", "[::1]:3"][..],
            &["127.0.0.1:1", "127.0.0.1:2", "proxy", "[::1]:3"],
        ]
        .map(|bind| listen(bind, &[]).unwrap());
        assert_eq!(written, split);
        assert_eq!(written.plain, ["127.0.0.1:1", "[::1]:3"]);
        assert_eq!(written.proxied, ["127.0.0.1:2"]);
        assert_eq!(written.spoken(), "127.0.0.1:1, [::1]:3, 127.0.0.1:2,proxy");
        assert_eq!(written.trusted, TrustedProxies::default());
    }

    #[test]
    fn networks_of_balancers_are_read() {
        let listen = listen(&[], &["10.0.0.0/8,loopback", "192.0.2.1"]).unwrap();
        for (address, is_trusted) in [("10.9.9.9", true), ("::1", true), ("192.0.2.2", false)] {
            assert_eq!(
                listen.trusted.contains(address.parse().unwrap()),
                is_trusted
            );
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for bind in [
            &["proxy"][..],
            &["127.0.0.1:1,tls"],
            &["127.0.0.1:1,proxy,proxy"],
            &[":1"],
        ] {
            assert_eq!(listen(bind, &[]).unwrap_err().exit_code(), 78, "{bind:?}");
        }
        assert_eq!(listen(&[], &["balancer"]).unwrap_err().exit_code(), 78);
    }
}
