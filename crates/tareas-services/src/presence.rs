//! Whether a service is installed, and what a test does when it is not.

use std::path::{Path, PathBuf};

/// A service that tests may want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// PostgreSQL, package `postgresql`.
    Postgres,
    /// RabbitMQ, package `rabbitmq-server`.
    Rabbitmq,
    /// HAProxy, package `haproxy`.
    Haproxy,
    /// Nginx with its stream module, packages `nginx-light libnginx-mod-stream`.
    Nginx,
}

impl Service {
    /// The program that the service is started with, if it is installed.
    pub fn program(self) -> Option<PathBuf> {
        match self {
            Self::Postgres => postgres_folder().map(|folder| folder.join("postgres")),
            Self::Rabbitmq => existing("/usr/lib/rabbitmq/bin/rabbitmq-server"),
            Self::Haproxy => existing("/usr/sbin/haproxy"),
            Self::Nginx => existing("/usr/sbin/nginx"),
        }
    }
}

/// Says whether a test must be skipped because `service` is not installed.
///
/// # Panics
/// Under `CI=true`, where a missing service is a failure and not a skip.
pub fn is_missing(service: Service) -> bool {
    let is_missing = service.program().is_none();
    if is_missing {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "{service:?} is not installed; ./scripts/test installs it"
        );
        eprintln!("SKIPPED: {service:?} is not installed; ./scripts/test installs it");
    }
    is_missing
}

/// The newest `/usr/lib/postgresql/N/bin`.
fn postgres_folder() -> Option<PathBuf> {
    let mut versions: Vec<u32> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable();
    let newest = versions.pop()?;
    existing(&format!("/usr/lib/postgresql/{newest}/bin"))
        .filter(|folder| folder.join("postgres").exists())
}

fn existing(path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    path.exists().then(|| path.to_owned())
}
