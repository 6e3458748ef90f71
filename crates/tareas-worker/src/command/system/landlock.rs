//! A sandbox by Landlock: the thread that asks for it gives rights up, for itself and for every
//! process that it starts.
//!
//! What this kernel has no rule for is left out; the caller is told how much is kept.

use std::io;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use crate::command::sandbox::{Sandbox, SandboxMode, SandboxSupport};

/// The newest rules that are made use of: those of Linux 6.12.
const NEWEST: ABI = ABI::V6;

/// What programs need to run at all: the system, and what says how it is set up.
const SYSTEM: [&str; 14] = [
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/usr",
    "/nix/store",
    "/proc",
    "/etc/alternatives",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
];
/// Devices that hold nothing.
const DEVICES: [&str; 5] = [
    "/dev/full",
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
];

/// How much this kernel can keep.
pub(in crate::command) fn sandbox_support() -> SandboxSupport {
    let has = |abi| {
        let strict = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        strict.handle_access(AccessFs::from_all(abi)).is_ok()
    };
    let scopes = || {
        let strict = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        strict.scope(Scope::from_all(NEWEST)).is_ok()
    };
    match (has(ABI::V1), has(NEWEST) && scopes()) {
        (_, true) => SandboxSupport::Full,
        (true, false) => SandboxSupport::Partial,
        (false, false) => SandboxSupport::None,
    }
}

/// Confines the calling thread; `own` are the folders of the process it is to start. How much of
/// the sandbox is kept.
pub(in crate::command) fn confine(
    sandbox: &Sandbox,
    program: &Path,
    own: [&Path; 2],
) -> io::Result<SandboxSupport> {
    let status = match sandbox.mode {
        SandboxMode::Off => return Ok(SandboxSupport::Full),
        SandboxMode::Basic => basic(),
        SandboxMode::ReadOnly => read_only(sandbox, own),
        SandboxMode::Strict => strict(sandbox, program, own),
    };
    Ok(match status.map_err(io::Error::other)? {
        RulesetStatus::FullyEnforced => SandboxSupport::Full,
        RulesetStatus::PartiallyEnforced => SandboxSupport::Partial,
        RulesetStatus::NotEnforced => SandboxSupport::None,
    })
}

/// Being confined at all already closes other processes. Something has to be ruled, so what is
/// ruled is what every sandbox refuses unless it is allowed: moving files between folders.
fn basic() -> Result<RulesetStatus, RulesetError> {
    let everything = path_beneath_rules(["/"], AccessFs::Refer);
    let rules = Ruleset::default()
        .handle_access(AccessFs::Refer)?
        .create()?;
    Ok(rules.add_rules(everything)?.restrict_self()?.ruleset)
}

fn read_only(sandbox: &Sandbox, own: [&Path; 2]) -> Result<RulesetStatus, RulesetError> {
    let write = AccessFs::from_write(NEWEST);
    let rules = Ruleset::default().handle_access(write)?.create()?;
    let rules = rules
        .add_rules(path_beneath_rules(own, write))?
        .add_rules(path_beneath_rules(&sandbox.writable, write))?
        .add_rules(path_beneath_rules(DEVICES, to_devices() & write))?;
    Ok(rules.restrict_self()?.ruleset)
}

fn strict(
    sandbox: &Sandbox,
    program: &Path,
    own: [&Path; 2],
) -> Result<RulesetStatus, RulesetError> {
    let (read, all) = (AccessFs::from_read(NEWEST), AccessFs::from_all(NEWEST));
    let rules = Ruleset::default()
        .handle_access(all)?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(SYSTEM, read))?
        .add_rules(path_beneath_rules([program], read))?
        .add_rules(path_beneath_rules(&sandbox.readable, read))?
        .add_rules(path_beneath_rules(own, all))?
        .add_rules(path_beneath_rules(&sandbox.writable, all))?
        .add_rules(path_beneath_rules(DEVICES, to_devices()))?;
    Ok(rules.restrict_self()?.ruleset)
}

fn to_devices() -> BitFlags<AccessFs> {
    AccessFs::ReadFile | AccessFs::WriteFile
}
