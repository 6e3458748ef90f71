//! All processes below this one, as `/proc` shows them.

use std::collections::HashMap;
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Sends a signal to every process below this one. Processes that are born meanwhile are missed:
/// whoever must end all of them calls it until none is left.
pub(super) fn signal_all(signal: Signal) {
    for pid in below(std::process::id().cast_signed()) {
        // One that has ended meanwhile needs no signal.
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

/// The children of a process, their children, and so on.
fn below(root: i32) -> Vec<i32> {
    let children = children_of_all();
    let mut found = Vec::new();
    let mut next = vec![root];
    while let Some(parent) = next.pop() {
        let below = children.get(&parent).into_iter().flatten().copied();
        let from = found.len();
        found.extend(below);
        next.extend_from_slice(&found[from..]);
    }
    found
}

fn children_of_all() -> HashMap<i32, Vec<i32>> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let stat = fs::read(entry.path().join("stat")).unwrap_or_default();
        if let Some(parent) = parent_in(&stat) {
            children.entry(parent).or_default().push(pid);
        }
    }
    children
}

/// The parent in `/proc/PID/stat`: `PID (NAME) STATE PARENT …`, where NAME may hold anything.
fn parent_in(stat: &[u8]) -> Option<i32> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(&stat[name_end + 1..]).ok()?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_parent_is_found_behind_any_name() {
        assert_eq!(parent_in(b"12 (a) b) (c) S 34 12 12 0"), Some(34));
        assert_eq!(parent_in(b""), None);
    }

    #[test]
    fn a_child_is_below() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let pid = child.id().cast_signed();
        assert!(below(std::process::id().cast_signed()).contains(&pid));
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
