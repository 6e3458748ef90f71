//! Nginx, over a configuration of the test.

use std::path::Path;
use std::process::Command;

use crate::balancer::{Balancer, Program};
use crate::presence::Service;

/// Where Debian keeps the module for streams; elsewhere it is part of the program.
const STREAM_MODULE: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";
/// How configurations for everybody load whatever modules there are.
const MODULES: &str = "include /etc/nginx/modules-enabled/*.conf;";

/// A running Nginx; it ends when this is dropped.
#[derive(Debug)]
pub struct Nginx(Balancer);

impl Nginx {
    /// Starts it with this configuration, which listens on `port` of loopback.
    ///
    /// # Panics
    /// When it is not installed or does not start; what it said is in the message.
    pub fn start(config: &str, port: u16) -> Self {
        Self(Balancer::start(&PROGRAM, &private(config), port))
    }

    /// Checks a configuration.
    ///
    /// # Errors
    /// What it complains about.
    ///
    /// # Panics
    /// When it is not installed.
    pub fn check(config: &str) -> Result<(), String> {
        Balancer::check(&PROGRAM, &private(config))
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        self.0.said()
    }
}

/// The configuration with nothing outside its folder: the one module, the process id, one worker.
fn private(config: &str) -> String {
    let module = match Path::new(STREAM_MODULE).exists() {
        true => format!("load_module {STREAM_MODULE};"),
        false => String::new(),
    };
    let config = config
        .replace(MODULES, &module)
        .replace("worker_processes auto;", "worker_processes 1;")
        .replace("worker_rlimit_nofile 65536;", "")
        .replace("worker_connections 20000;", "worker_connections 512;");
    format!("{config}\npid nginx.pid;\ndaemon off;\n")
}

fn run_from(command: &mut Command, file: &Path) {
    let folder = file.parent().unwrap_or(Path::new("/"));
    command.arg("-p").arg(folder).arg("-c").arg(file);
    command.args(["-e", "stderr"]);
}

const PROGRAM: Program = Program {
    service: Service::Nginx,
    check: |command: &mut Command, file: &Path| {
        run_from(command, file);
        command.arg("-t");
    },
    run: run_from,
};
