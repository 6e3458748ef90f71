//! What a server is started with: plain values, checked once.

use std::path::PathBuf;
use std::time::Duration;

use tareas_engine::access::Networks;
use tareas_protocol::Lang;
use tareas_server::Redaction;

use super::kinds::CommandKind;
use super::layers::Configuration;
use super::listen::Listen;
use super::store::{BlobStore, HintQueue, RecordStore};

use crate::output::Failure;
use crate::text::Text;

/// Leases are neither shorter nor longer than these.
const LEASE_MIN: Duration = Duration::from_secs(1);
const LEASE_MAX: Duration = Duration::from_secs(3600);

/// What an acknowledgement stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// On disk.
    Full,
    /// Handed to the operating system.
    Os,
}

/// The shape of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Everything a server needs to know.
#[derive(Clone, Debug)]
pub(crate) struct ServeConfig {
    /// Where to listen.
    pub(crate) listen: Listen,
    /// The folder with everything that must survive.
    pub(crate) data: PathBuf,
    /// Threads of the pool.
    pub(crate) threads: u16,
    /// Who is told of ready tasks.
    pub(crate) queue: HintQueue,
    /// Take submissions that clients leave in RabbitMQ.
    pub(crate) amqp_door: bool,
    /// Where tasks are kept.
    pub(crate) records: RecordStore,
    /// Where large bytes are kept.
    pub(crate) blobs: BlobStore,
    /// What an acknowledgement stands for.
    pub(crate) durability: Durability,
    /// Listen beyond this machine without access control.
    pub(crate) insecure: bool,
    /// Ask everybody for a token.
    pub(crate) access: bool,
    /// Certificate and key, where TLS is spoken.
    pub(crate) tls: Option<[PathBuf; 2]>,
    /// Nobody listens in between.
    pub(crate) trusted_network: bool,
    /// How long lines of the audit log are kept.
    pub(crate) audit_retention: Duration,
    /// Where webhooks may lead beside public addresses.
    pub(crate) webhook_networks: Networks,
    /// Members that pages do not show.
    pub(crate) redaction: Redaction,
    /// The address people use.
    pub(crate) public_url: Option<String>,
    /// How long to go on at the end, while balancers notice.
    pub(crate) drain_delay: Duration,
    /// How long running tasks may take at the end.
    pub(crate) drain_grace: Duration,
    /// How long finished tasks are kept.
    pub(crate) retention: Duration,
    /// How long a silent process is believed to be alive.
    pub(crate) lease: Duration,
    /// Let tasks of unknown kinds wait.
    pub(crate) accept_unknown_kinds: bool,
    /// How long a remote worker may be silent.
    pub(crate) session_ttl: Duration,
    /// See the key.
    pub(crate) unframed_wait: Duration,
    /// What is logged.
    pub(crate) log: String,
    /// How.
    pub(crate) log_format: LogFormat,
    /// The kinds that are commands.
    pub(crate) kinds: Vec<CommandKind>,
    /// The language of texts when a client says nothing.
    pub(crate) lang: Lang,
}

impl ServeConfig {
    /// From the layers; the first wrong value ends it.
    pub(crate) fn of(configuration: &Configuration, lang: Lang) -> Result<Self, Failure> {
        let text = |name| configuration.text(name).map(str::to_owned);
        let threads = configuration.integer("threads")?;
        Ok(Self {
            listen: Listen::of(configuration, lang)?,
            data: text("data")?.into(),
            threads: u16::try_from(threads).unwrap_or(u16::MAX),
            queue: HintQueue::of(configuration, lang)?,
            amqp_door: amqp_door(configuration, lang)?,
            records: RecordStore::of(configuration, lang)?,
            blobs: BlobStore::of(configuration, lang)?,
            durability: match configuration.word("durability")? {
                "os" => Durability::Os,
                _ => Durability::Full,
            },
            insecure: configuration.boolean("insecure")?,
            access: configuration.boolean("access")?,
            tls: tls(configuration, lang)?,
            trusted_network: configuration.boolean("trusted_network")?,
            audit_retention: configuration.duration("audit_retention")?,
            webhook_networks: webhook_networks(configuration, lang)?,
            redaction: Redaction::of(
                configuration
                    .list("redact")
                    .iter()
                    .flat_map(|names| names.split(',')),
            ),
            public_url: Some(text("public_url")?).filter(|url| !url.is_empty()),
            drain_delay: configuration.duration("drain_delay")?,
            drain_grace: configuration.duration("drain_grace")?,
            retention: configuration.duration("retention")?,
            lease: lease(configuration, lang)?,
            accept_unknown_kinds: configuration.word("unknown_kinds")? == "accept",
            session_ttl: configuration.duration("session_ttl")?,
            unframed_wait: Duration::from_millis(configuration.integer("unframed_wait_ms")?),
            log: text("log")?,
            log_format: match configuration.word("log_format")? {
                "json" => LogFormat::Json,
                _ => LogFormat::Text,
            },
            kinds: CommandKind::all_of(configuration, lang)?,
            lang,
        })
    }
}

/// A door needs a house: RabbitMQ as the queue.
fn amqp_door(configuration: &Configuration, lang: Lang) -> Result<bool, Failure> {
    let is_open = configuration.boolean("amqp_door")?;
    if is_open && matches!(HintQueue::of(configuration, lang)?, HintQueue::Memory) {
        let setting = configuration.setting_of("amqp_door");
        return Err(configuration.wrong(setting, Text::ExpectAmqpQueue.plain(lang)));
    }
    Ok(is_open)
}

/// Both or neither: half of a pair would be a server that is open by mistake.
fn webhook_networks(configuration: &Configuration, lang: Lang) -> Result<Networks, Failure> {
    let words = configuration.list("webhook_networks").iter();
    let words = words.flat_map(|words| words.split(','));
    Networks::parse(words.filter(|word| !word.is_empty())).map_err(|_| {
        let setting = configuration.setting_of("webhook_networks");
        configuration.wrong(setting, Text::ExpectNetwork.plain(lang))
    })
}

fn tls(configuration: &Configuration, lang: Lang) -> Result<Option<[PathBuf; 2]>, Failure> {
    let (certificate, key) = (
        configuration.text("tls_cert")?,
        configuration.text("tls_key")?,
    );
    match (certificate, key) {
        ("", "") => Ok(None),
        ("", _) | (_, "") => {
            let lacking = if key.is_empty() {
                "tls_key"
            } else {
                "tls_cert"
            };
            let setting = configuration.setting_of(lacking);
            Err(configuration.wrong(setting, Text::ExpectTlsPair.plain(lang)))
        }
        _ => Ok(Some([certificate.into(), key.into()])),
    }
}

/// Long enough for renewals to come through, short enough for a clock to run.
fn lease(configuration: &Configuration, lang: Lang) -> Result<Duration, Failure> {
    let lease = configuration.duration("lease")?;
    match (LEASE_MIN..=LEASE_MAX).contains(&lease) {
        true => Ok(lease),
        false => {
            let setting = configuration.setting_of("lease");
            Err(configuration.wrong(setting, Text::ExpectLease.plain(lang)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;

    fn config(flags: &[(&'static str, &str)]) -> Result<ServeConfig, Failure> {
        let flags: Flags = flags
            .iter()
            .map(|(name, value)| (*name, vec![(*value).to_owned()]))
            .collect();
        let empty = tempfile::NamedTempFile::new().unwrap();
        let layers = Configuration::load(&flags, |_| None, Some(empty.path()), Lang::En)?;
        ServeConfig::of(&layers, Lang::En)
    }

    #[test]
    fn the_defaults_are_those_of_the_documentation() {
        let config = config(&[]).unwrap();
        assert_eq!(config.listen.plain, ["127.0.0.1:5000"]);
        assert!(config.listen.proxied.is_empty());
        assert_eq!(config.drain_delay, Duration::ZERO);
        assert_eq!(config.data, PathBuf::from("./tareas-data"));
        assert_eq!(config.records, RecordStore::Sqlite("./tareas-data".into()));
        assert_eq!(
            config.blobs,
            BlobStore::Folder("./tareas-data/blobs".into())
        );
        assert!(matches!(config.queue, HintQueue::Memory));
        assert_eq!(config.durability, Durability::Full);
        assert_eq!(config.drain_grace, Duration::from_secs(30));
        assert!(!config.insecure);
    }

    #[test]
    fn urls_of_other_builds_name_the_feature_and_hide_the_password() {
        for (name, url, feature, is_built) in [
            (
                "queue",
                "amqp://u:hidden@h/v",
                "rabbitmq",
                cfg!(feature = "rabbitmq"),
            ),
            (
                "records",
                "postgres://u:hidden@h/d",
                "postgres",
                cfg!(feature = "postgres"),
            ),
            (
                "blobs",
                "s3://b/p?endpoint=http://h",
                "s3",
                cfg!(feature = "s3"),
            ),
        ] {
            if is_built {
                let shown = format!("{:?}", config(&[(name, url)]).unwrap());
                assert!(!shown.contains("hidden"), "{shown}");
                continue;
            }
            let failure = config(&[(name, url)]).unwrap_err();
            let text = format!("{failure:?}");
            assert!(text.contains(&format!("feature `{feature}`")), "{text}");
            assert!(!text.contains("hidden"), "{text}");
            assert_eq!(failure.exit_code(), 78);
        }
    }

    #[test]
    #[cfg(feature = "postgres")]
    fn the_password_of_the_records_is_not_shown() {
        let config = config(&[("records", "postgres://u:hidden@h/d")]).unwrap();
        let text = format!("{config:?}");
        assert!(text.contains("postgres://u:***@h/d"), "{text}");
        assert!(!text.contains("hidden"), "{text}");
    }

    #[test]
    fn impossible_values_are_refused() {
        for (name, value) in [
            ("bind", "5000"),
            ("bind", "host:99999"),
            ("threads", "-1"),
            ("durability", "maybe"),
            ("records", "mysql:x"),
            ("queue", "amqp:"),
            ("queue", "amqp://h?prefix=a/b"),
            ("queue", "kafka://h"),
            ("blobs", "s3://"),
            ("blobs", "s3://b?secret=x"),
            ("drain_grace", "soon"),
            ("lease", "1ms"),
            ("insecure", "perhaps"),
            ("amqp_door", "true"),
        ] {
            assert_eq!(
                config(&[(name, value)]).unwrap_err().exit_code(),
                78,
                "{name} {value}"
            );
        }
    }
}
