//! How the records are opened.

use std::fmt;
use std::time::Duration;

use super::OpenError;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a silent peer is believed: keepalives after this, and three of them.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;

/// Where PostgreSQL is, and who opens it. Shows no password.
#[derive(Clone)]
pub struct PostgresOptions {
    pub(super) config: tokio_postgres::Config,
    /// The identity of this server: the same in all lives of one server, and of no other.
    pub server: u128,
    /// Submissions are refused when a queue holds this many waiting tasks.
    pub queue_tasks_max: Option<u64>,
    /// Blobs are in a folder of this machine: no other process may serve on these records.
    pub local_blobs: bool,
    /// Open a server that would lose acknowledged tasks at a power cut: for trials only.
    pub accept_unsafe: bool,
}

impl PostgresOptions {
    /// Options for `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
    ///
    /// # Errors
    /// When the URL cannot be read. The message does not repeat it.
    pub fn new(url: &str, server: u128) -> Result<Self, OpenError> {
        let mut config: tokio_postgres::Config = url
            .parse()
            .map_err(|error: tokio_postgres::Error| OpenError::Url(error.to_string()))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        config
            .keepalives(true)
            .keepalives_idle(KEEPALIVE_IDLE)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_RETRIES);
        Ok(Self {
            config,
            server,
            queue_tasks_max: None,
            local_blobs: false,
            accept_unsafe: false,
        })
    }

    /// Host, port and database, for people.
    pub(super) fn at(&self) -> String {
        use tokio_postgres::config::Host;

        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            Some(Host::Unix(folder)) => folder.display().to_string(),
            None => "localhost".to_owned(),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        let database = self.config.get_dbname().unwrap_or_default();
        format!("{host}:{port}/{database}")
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("at", &self.at())
            .field("queue_tasks_max", &self.queue_tasks_max)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let options = PostgresOptions::new("postgres://ana:s3cret@db:5433/tasks", 1).unwrap();
        assert_eq!(options.at(), "db:5433/tasks");
        assert!(!format!("{options:?}").contains("s3cret"));
        let error = PostgresOptions::new("postgres://ana:s3cret@db:x/tasks", 1).unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}
