//! How this process is called where several share their records.

use tareas_engine::ports::{Identity, MemberRole};

use super::Role;
use crate::config::ServeConfig;

/// Where the system keeps the name of the machine.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";
/// Longer names of machines are cut.
const NAME_MAX: usize = 48;

/// The name of the machine and the number of the process, and where it listens.
pub(super) fn of(config: &ServeConfig, role: Role) -> Identity {
    let host = std::fs::read_to_string(HOST_NAME).unwrap_or_default();
    let host: String = host.trim().chars().take(NAME_MAX).collect();
    let host = if host.is_empty() { "host" } else { &host };
    Identity {
        name: format!("{host}-{}", std::process::id()),
        role: match role {
            Role::Server => MemberRole::Server,
            Role::Node => MemberRole::Node,
        },
        address: match role {
            Role::Server => config.listen.spoken(),
            Role::Node => String::new(),
        },
    }
}
