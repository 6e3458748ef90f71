//! Which adapters the three URLs choose, and URLs without their secrets.

use std::path::{Path, PathBuf};

#[cfg(feature = "s3")]
use tareas_adapters::blobs::s3::{S3Config, S3Keys};
#[cfg(feature = "rabbitmq")]
use tareas_adapters::queue::rabbitmq::RabbitmqConfig;
use tareas_protocol::{Code, Lang};

use super::layers::Configuration;
use crate::output::Failure;
use crate::text::Text;

/// Where tasks are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RecordStore {
    /// In memory; gone with the process.
    Memory,
    /// In the file `tareas.db` of this folder.
    Sqlite(PathBuf),
    /// In PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(SecretUrl),
}

/// A URL that may hold a password: shown without it.
#[cfg(feature = "postgres")]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretUrl(String);

#[cfg(feature = "postgres")]
impl SecretUrl {
    /// The URL with its secrets: for whoever connects.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

#[cfg(feature = "postgres")]
impl std::fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&masked(&self.0))
    }
}

#[cfg(feature = "postgres")]
impl std::fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Where large bytes are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BlobStore {
    /// As files of this folder.
    Folder(PathBuf),
    /// In a bucket.
    #[cfg(feature = "s3")]
    S3(S3Config),
}

/// Who is told of ready tasks.
#[derive(Clone, Debug)]
pub(crate) enum HintQueue {
    /// This process.
    Memory,
    /// Several processes, through RabbitMQ.
    #[cfg(feature = "rabbitmq")]
    Rabbitmq(RabbitmqConfig),
}

/// What a URL of RabbitMQ looks like.
#[cfg(feature = "rabbitmq")]
const RABBITMQ_URL: &str = "amqp://USER:PASS@HOST:PORT/VHOST";
/// What a URL of a bucket looks like.
#[cfg(feature = "s3")]
const S3_URL: &str = "s3://BUCKET/PREFIX?endpoint=http://HOST:PORT&region=NAME";

/// The file of the SQLite store.
pub(crate) const DATABASE: &str = "tareas.db";

impl RecordStore {
    /// From `memory:`, `sqlite:` (in the data folder), `sqlite:FOLDER` or `postgres://…`.
    pub(crate) fn of(configuration: &Configuration, lang: Lang) -> Result<Self, Failure> {
        let url = configuration.text("records")?;
        let data = Path::new(configuration.text("data")?);
        match url.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sqlite", "")) => Ok(Self::Sqlite(data.to_owned())),
            Some(("sqlite", path)) => Ok(Self::Sqlite(folder_of(path))),
            #[cfg(feature = "postgres")]
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                Ok(Self::Postgres(SecretUrl(url.to_owned())))
            }
            #[cfg(not(feature = "postgres"))]
            Some(("postgres" | "postgresql", _)) => {
                Err(missing(url, "postgres", "sqlite:PATH", lang))
            }
            _ => Err(unknown(
                configuration,
                "records",
                "sqlite:, sqlite:PATH, postgres://USER@HOST/DB, memory:",
                lang,
            )),
        }
    }
}

impl BlobStore {
    /// From `file:` (in the data folder), `file:FOLDER` or `s3://…`.
    pub(crate) fn of(configuration: &Configuration, lang: Lang) -> Result<Self, Failure> {
        let url = configuration.text("blobs")?;
        let data = Path::new(configuration.text("data")?);
        match url.split_once(':') {
            Some(("file", "")) => Ok(Self::Folder(data.join("blobs"))),
            Some(("file", path)) => Ok(Self::Folder(PathBuf::from(path))),
            #[cfg(feature = "s3")]
            Some(("s3", _)) => S3Config::parse(url)
                .map(Self::S3)
                .map_err(|_| unknown(configuration, "blobs", S3_URL, lang)),
            #[cfg(not(feature = "s3"))]
            Some(("s3", _)) => Err(missing(url, "s3", "file:PATH", lang)),
            _ => Err(unknown(
                configuration,
                "blobs",
                "file:, file:PATH, s3://…",
                lang,
            )),
        }
    }

    /// The folder of the files, unless they are in a bucket.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            #[cfg(feature = "s3")]
            Self::S3(_) => None,
        }
    }
}

impl HintQueue {
    /// From `memory:` or `amqp://…`.
    pub(super) fn of(configuration: &Configuration, lang: Lang) -> Result<Self, Failure> {
        let url = configuration.text("queue")?;
        match url.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            #[cfg(feature = "rabbitmq")]
            Some(("amqp" | "amqps", _)) => RabbitmqConfig::parse(url)
                .map(Self::Rabbitmq)
                .map_err(|_| unknown(configuration, "queue", RABBITMQ_URL, lang)),
            #[cfg(not(feature = "rabbitmq"))]
            Some(("amqp" | "amqps", _)) => Err(missing(url, "rabbitmq", "memory:", lang)),
            _ => Err(unknown(configuration, "queue", "memory:, amqp://…", lang)),
        }
    }
}

/// The keys of the account that owns the bucket, from the variables that every tool for S3
/// reads.
#[cfg(feature = "s3")]
pub(crate) fn s3_keys(lang: Lang) -> Result<S3Keys, Failure> {
    let read = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    match (read("AWS_ACCESS_KEY_ID"), read("AWS_SECRET_ACCESS_KEY")) {
        (Some(id), Some(secret)) => Ok(S3Keys {
            id,
            secret,
            session: read("AWS_SESSION_TOKEN"),
        }),
        _ => Err(
            Failure::new(Code::InvalidConfiguration, lang, Text::S3KeysMissing, &[])
                .with_hint(Text::S3KeysMissingHint.plain(lang)),
        ),
    }
}

fn folder_of(path: &str) -> PathBuf {
    let path = Path::new(path);
    match path.file_name() {
        Some(name) if name == DATABASE => path.parent().unwrap_or(Path::new(".")).to_owned(),
        _ => path.to_owned(),
    }
}

#[cfg_attr(
    all(feature = "postgres", feature = "rabbitmq", feature = "s3"),
    expect(dead_code, reason = "this build can open them all")
)]
fn missing(url: &str, feature: &str, local: &str, lang: Lang) -> Failure {
    let hint = Text::FeatureMissingHint.fill(lang, &[("local", &local), ("feature", &feature)]);
    let text = Text::FeatureMissing;
    Failure::new(Code::FeatureMissing, lang, text, &[("url", &masked(url))])
        .because(Text::FeatureMissingCause.fill(lang, &[("feature", &feature)]))
        .with_hint(hint)
}

fn unknown(configuration: &Configuration, name: &str, words: &str, lang: Lang) -> Failure {
    let expected = Text::ExpectStore.fill(lang, &[("words", &words)]);
    configuration.wrong(configuration.setting_of(name), &expected)
}

/// A URL without its password, and without the values of its query.
pub(crate) fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (rest, query) = rest
        .split_once('?')
        .map_or((rest, None), |(a, b)| (a, Some(b)));
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) => {
            let name = user.split(':').next().unwrap_or_default();
            format!("{name}:***@{host}")
        }
        None => authority.to_owned(),
    };
    let query = query.map(|_| "?***").unwrap_or_default();
    format!("{scheme}://{authority}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked() {
        let table = [
            (
                "amqp://ana:s3cret@host:5672/v",
                "amqp://ana:***@host:5672/v",
            ),
            (
                "postgres://ana@host/db?password=x",
                "postgres://ana:***@host/db?***",
            ),
            ("tcp://127.0.0.1:5000", "tcp://127.0.0.1:5000"),
            ("sqlite:./x", "sqlite:./x"),
        ];
        for (url, shown) in table {
            assert_eq!(masked(url), shown);
        }
    }
}
