//! HAProxy, over a configuration of the test.

use std::path::Path;
use std::process::Command;

use crate::balancer::{Balancer, Program};
use crate::presence::Service;

/// A running HAProxy; it ends when this is dropped.
#[derive(Debug)]
pub struct Haproxy(Balancer);

impl Haproxy {
    /// Starts it with this configuration, which listens on `port` of loopback.
    ///
    /// # Panics
    /// When it is not installed or does not start; what it said is in the message.
    pub fn start(config: &str, port: u16) -> Self {
        Self(Balancer::start(&PROGRAM, config, port))
    }

    /// Checks a configuration.
    ///
    /// # Errors
    /// What it complains about.
    ///
    /// # Panics
    /// When it is not installed.
    pub fn check(config: &str) -> Result<(), String> {
        Balancer::check(&PROGRAM, config)
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        self.0.said()
    }
}

const PROGRAM: Program = Program {
    service: Service::Haproxy,
    check: |command: &mut Command, file: &Path| {
        command.arg("-c").arg("-f").arg(file);
    },
    // In the foreground, as a child that can be waited for.
    run: |command: &mut Command, file: &Path| {
        command.arg("-db").arg("-f").arg(file);
    },
};
