//! The log of a server: on stderr, for people or for programs.

use std::io::IsTerminal;

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::prelude::*;

use crate::config::{LogFormat, ServeConfig};

/// Starts logging. A second call in one process changes nothing.
pub(super) fn start(config: &ServeConfig) {
    // The driver of RabbitMQ calls it an error when a queue is looked for that is not there; what
    // is one is told by whoever uses it. First, so that a filter may still ask for it.
    let filter = format!("lapin=off,{}", config.log);
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_coloured())
        .with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Text => log
            .with_target(false)
            .finish()
            .with(filter_fn(is_harmless))
            .try_init(),
        LogFormat::Json => log.json().finish().with(filter_fn(is_harmless)).try_init(),
    };
    // Somebody else in this process logs already, and goes on doing so.
    drop(started);
}

/// Whatever is asked for: the driver of PostgreSQL writes every value of every statement into its
/// finer lines, payloads and secrets of webhooks among them.
fn is_harmless(line: &Metadata<'_>) -> bool {
    !line.target().starts_with("tokio_postgres") || *line.level() <= Level::INFO
}

/// Colours are for people at a terminal: in a file they are noise.
fn is_coloured() -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !no_color
}
