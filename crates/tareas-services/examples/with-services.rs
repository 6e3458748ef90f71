//! Runs a command beside one PostgreSQL and one RabbitMQ that all of its tests share:
//!
//! ```text
//! cargo run -p tareas-services --example with-services -- cargo nextest run
//! ```
//!
//! Tests that break a service start one of their own. The services end with the command. One
//! that is not installed is left out; its tests then skip aloud, or fail under `CI=true`.

use std::process::{Command, ExitCode};

use tareas_services::{Postgres, Rabbitmq, SHARED_POSTGRES, SHARED_RABBITMQ, Service, is_missing};

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let Some(program) = words.next() else {
        eprintln!("usage: with-services COMMAND [ARGUMENT]...");
        return ExitCode::from(2);
    };
    let mut command = Command::new(program);
    command.args(words);
    let database =
        (!is_missing(Service::Postgres)).then(|| Postgres::start_with(&["max_connections=500"]));
    if let Some(database) = &database {
        command.env(SHARED_POSTGRES, database.url());
    }
    let broker = (!is_missing(Service::Rabbitmq)).then(Rabbitmq::start);
    if let Some(broker) = &broker {
        command.env(SHARED_RABBITMQ, broker.url());
    }
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => ExitCode::from(
            status
                .code()
                .and_then(|code| u8::try_from(code).ok())
                .unwrap_or(1),
        ),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(127)
        }
    }
}
