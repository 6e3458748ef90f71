//! Runs a command beside a PostgreSQL, a RabbitMQ and a bucket of its own, named to it as
//! `tareas` reads them from its environment:
//!
//! ```text
//! cargo run -p tareas --example with-stores -- bash
//! cargo run -p tareas --example with-stores -- --set shared_buffers=1GB scripts/bench-scale-out
//! ```
//!
//! `--set NAME=VALUE`, as often as needed, is a setting of PostgreSQL. All of it ends with the
//! command, and nothing of it stays.

use std::process::{Command, ExitCode};

use tareas_services::{Bucket, Postgres, Rabbitmq, Service, is_missing};

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1).peekable();
    let mut settings = vec!["max_connections=200".to_owned()];
    while words.next_if(|word| word == "--set").is_some() {
        settings.extend(words.next().and_then(|word| word.into_string().ok()));
    }
    let Some(program) = words.next() else {
        eprintln!("usage: with-stores [--set NAME=VALUE]... COMMAND [ARGUMENT]...");
        return ExitCode::from(2);
    };
    if [Service::Postgres, Service::Rabbitmq].map(is_missing) != [false, false] {
        return ExitCode::FAILURE;
    }
    let bucket = Bucket::start();
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let (postgres, rabbitmq) = (Postgres::start_with(&settings), Rabbitmq::start());
    let status = Command::new(program)
        .args(words)
        .env("TAREAS_RECORDS", postgres.database())
        .env("TAREAS_QUEUE", rabbitmq.url())
        .env("TAREAS_BLOBS", bucket.url())
        .env("AWS_ACCESS_KEY_ID", Bucket::KEY)
        .env("AWS_SECRET_ACCESS_KEY", Bucket::SECRET)
        .status();
    match status.map(|status| status.code()) {
        Ok(Some(code)) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Ok(None) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(127)
        }
    }
}
