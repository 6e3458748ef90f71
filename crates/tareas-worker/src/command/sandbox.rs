//! What a program may reach beside what its user may: a sandbox that the kernel keeps (Landlock).
//!
//! It holds for the program and for everything that it starts, and nothing of it can be given back.
//! What the kernel cannot keep is left out, unless [`Sandbox::is_required`]: then nothing is
//! started. `docs/handlers.md` tells users what each mode takes.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The sandbox of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// How much it takes.
    pub mode: SandboxMode,
    /// Files and folders that can be read and run in any case.
    pub readable: Vec<PathBuf>,
    /// Files and folders that can be read, written and run in any case.
    pub writable: Vec<PathBuf>,
    /// Nothing runs where the kernel cannot keep all of it.
    pub is_required: bool,
}

/// How much a sandbox takes from a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SandboxMode {
    /// Nothing.
    Off,
    /// Memory and open files of processes outside it, and mounting.
    #[default]
    Basic,
    /// That, and writing outside its own folders.
    ReadOnly,
    /// That, and reading outside of what the system needs, TCP, and signals to processes outside.
    Strict,
}

/// How much of a sandbox the kernel can keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SandboxSupport {
    /// Nothing.
    None,
    /// A part: of files, or without network and signals.
    Partial,
    /// Everything that there is a mode for.
    Full,
}

impl SandboxSupport {
    /// Of the kernel that runs now.
    pub fn here() -> Self {
        super::system::sandbox_support()
    }
}

impl Sandbox {
    /// Whether a program may be started when so much of it is kept; why not.
    pub(super) fn judge(&self, kept: SandboxSupport) -> std::io::Result<()> {
        match self.is_required && kept != SandboxSupport::Full {
            true => Err(std::io::Error::other(
                "its sandbox is required, and this kernel cannot keep all of it",
            )),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_required_and_cannot_be_kept_is_not_started() {
        let mut sandbox = Sandbox::default();
        assert!(sandbox.judge(SandboxSupport::None).is_ok());
        sandbox.is_required = true;
        assert!(sandbox.judge(SandboxSupport::None).is_err());
        assert!(sandbox.judge(SandboxSupport::Partial).is_err());
        assert!(sandbox.judge(SandboxSupport::Full).is_ok());
    }
}
