//! `tareas serve`: the server, with its flags laid over environment and file.

use clap::Args;

use super::{Outcome, Session};
use crate::config::{CommandKind, Flags, ServeConfig};
use crate::serve::{self, Role};

const EXAMPLES: &str = "\
Examples:
  tareas serve
  tareas serve --bind 127.0.0.1:5001 --data /var/lib/tareas --threads 8
  tareas serve --durability os

Each flag is also a variable TAREAS_NAME and a key of tareas.toml.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Where to listen, `,proxy` after it for a balancer; repeatable [default: 127.0.0.1:5000]
    #[arg(long, value_name = "HOST:PORT")]
    bind: Vec<String>,
    /// Balancers whose PROXY header is believed: addresses, networks [default: loopback]
    #[arg(long, value_name = "NETWORK")]
    trusted_proxies: Vec<String>,
    /// The folder with everything that must survive [default: ./tareas-data]
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// Threads that run tasks; 0 for none [default: one per core]
    #[arg(long, value_name = "N")]
    threads: Option<String>,
    /// Who is told of ready tasks: memory:, amqp://… [default: memory:]
    #[arg(long, value_name = "URL")]
    queue: Option<String>,
    /// Take submissions from the queue tareas.submit of RabbitMQ
    #[arg(long)]
    amqp_door: bool,
    /// Where tasks are kept: sqlite:, sqlite:PATH, memory: [default: sqlite:]
    #[arg(long, value_name = "URL")]
    records: Option<String>,
    /// Where large bytes are kept: file:, file:PATH, s3://… [default: file:]
    #[arg(long, value_name = "URL")]
    blobs: Option<String>,
    /// full: on disk before it is confirmed; os: handed to the system [default: full]
    #[arg(long, value_name = "WORD")]
    durability: Option<String>,
    /// Listen beyond this machine though there is no access control
    #[arg(long)]
    insecure: bool,
    /// Ask everybody for a token, and let them do what it allows
    #[arg(long)]
    access: bool,
    /// Certificate of the server, a PEM file: then TLS is spoken
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<String>,
    /// The key of that certificate, a PEM file
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    /// Nobody listens in between: tokens may travel unencrypted
    #[arg(long)]
    trusted_network: bool,
    /// How long lines of the audit log are kept [default: 365d]
    #[arg(long, value_name = "TIME")]
    audit_retention: Option<String>,
    /// Where webhooks may lead beside public addresses: addresses, networks, loopback
    #[arg(long, value_name = "NETWORK")]
    webhook_networks: Vec<String>,
    /// Members of payloads and results that pages do not show; * at an end stands for any text
    #[arg(long, value_name = "NAMES")]
    redact: Vec<String>,
    /// The address that people use, when it is not the bind address
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// How long to go on, not ready, before a stop begins: for balancers [default: 0s]
    #[arg(long, value_name = "TIME")]
    drain_delay: Option<String>,
    /// How long running tasks may take when the server stops [default: 30s]
    #[arg(long, value_name = "TIME")]
    drain_grace: Option<String>,
    /// How long a silent process is believed to be alive [default: 15s]
    #[arg(long, value_name = "TIME")]
    lease: Option<String>,
    /// How long finished tasks are kept [default: 7d]
    #[arg(long, value_name = "TIME")]
    retention: Option<String>,
    /// refuse or accept tasks of kinds that nobody has announced [default: refuse]
    #[arg(long, value_name = "WORD")]
    unknown_kinds: Option<String>,
    /// How long a remote worker may be silent before it is taken for lost [default: 15s]
    #[arg(long, value_name = "TIME")]
    session_ttl: Option<String>,
    /// Silence after which bytes without newline count as a line [default: 200]
    #[arg(long, value_name = "MS")]
    unframed_wait_ms: Option<String>,
    /// What is logged: error, warn, info, debug, or a filter [default: warn]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// Shape of the log: text or json [default: text]
    #[arg(long, value_name = "SHAPE")]
    log_format: Option<String>,
}

impl ServeArgs {
    fn flags(&self) -> Flags {
        let one = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
        let on = |value: bool| value.then(|| "true".to_owned()).into_iter().collect();
        vec![
            ("bind", self.bind.clone()),
            ("trusted_proxies", self.trusted_proxies.clone()),
            ("data", one(&self.data)),
            ("threads", one(&self.threads)),
            ("queue", one(&self.queue)),
            ("amqp_door", on(self.amqp_door)),
            ("records", one(&self.records)),
            ("blobs", one(&self.blobs)),
            ("durability", one(&self.durability)),
            ("insecure", on(self.insecure)),
            ("access", on(self.access)),
            ("tls_cert", one(&self.tls_cert)),
            ("tls_key", one(&self.tls_key)),
            ("trusted_network", on(self.trusted_network)),
            ("audit_retention", one(&self.audit_retention)),
            ("webhook_networks", self.webhook_networks.clone()),
            ("redact", self.redact.clone()),
            ("public_url", one(&self.public_url)),
            ("drain_delay", one(&self.drain_delay)),
            ("drain_grace", one(&self.drain_grace)),
            ("lease", one(&self.lease)),
            ("retention", one(&self.retention)),
            ("unknown_kinds", one(&self.unknown_kinds)),
            ("session_ttl", one(&self.session_ttl)),
            ("unframed_wait_ms", one(&self.unframed_wait_ms)),
            ("log", one(&self.log)),
            ("log_format", one(&self.log_format)),
        ]
    }
}

pub(super) fn run(args: &ServeArgs, session: &Session) -> Outcome {
    let configuration = session.configuration(args.flags())?;
    let config = ServeConfig::of(&configuration, session.lang())?;
    let read_again = || {
        let configuration = session.configuration(args.flags())?;
        CommandKind::all_of(&configuration, session.lang())
    };
    serve::run(&config, Role::Server, &read_again, &session.voice)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use crate::cli::args::Cli;
    use crate::config::{KEYS, Key};

    #[test]
    fn every_key_of_the_server_is_a_flag() {
        let cli = Cli::command();
        let serve = cli.find_subcommand("serve").unwrap();
        let has = |key: &Key| {
            serve.get_arguments().any(|arg| {
                arg.get_long()
                    .is_some_and(|long| format!("--{long}") == key.flag())
            })
        };
        let global = ["server", "lang", "token_file", "tls_ca"];
        for key in KEYS.iter().filter(|key| !global.contains(&key.name)) {
            assert!(has(key), "{}", key.name);
        }
    }
}
