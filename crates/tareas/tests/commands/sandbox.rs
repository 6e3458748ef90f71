//! Sandboxes: what a program can reach in each, and what it cannot.

use nix::unistd::geteuid;
use tareas_worker::command::SandboxSupport;

use crate::server::Server;

const CANARY: &str = "canary-9d2e71";

/// Each kind runs the line of shell that it is given; `stays` tells what it found by itself.
const CONFIG: &str = r#"
[kinds.basic]
command = ["sh", "run.sh"]

[kinds.off]
command = ["sh", "run.sh"]
sandbox = "off"

[kinds.readonly]
command = ["sh", "run.sh"]
sandbox = { mode = "readonly", write = ["mine"], required = true }

[kinds.strict]
command = ["sh", "run.sh"]
sandbox = { mode = "strict", read = ["run.sh", "shown"], write = ["mine"], required = true }

[kinds.stays]
command = ["sh", "stays.sh"]
mode = "persistent"
sandbox = { mode = "strict", read = ["stays.sh"], required = true }
"#;

/// A server in a folder with something to read and something to write; `None`, loudly, where the
/// kernel keeps no sandbox.
fn start() -> Option<Server> {
    if SandboxSupport::here() != SandboxSupport::Full {
        eprintln!("SKIPPED: this kernel cannot keep a whole sandbox (Landlock of Linux 6.12)");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    // A text is given as JSON: without its quotes it is the line.
    write(
        "run.sh",
        "line=$(cat); line=${line#?}; eval \"${line%?}\" 2>&1",
    );
    write(
        "stays.sh",
        "read -r line; if cat secret >/dev/null 2>&1 || ! echo kept >$TAREAS_OUT/file; then r=bad; else r=good; fi\n\
         echo \"{\\\"result\\\":\\\"$r\\\"}\"; cat",
    );
    write("secret", CANARY);
    write("shown", "to be seen");
    std::fs::create_dir(folder.path().join("mine")).unwrap();
    Some(Server::start_in(folder, CONFIG, |_| {}))
}

#[test]
fn a_sandbox_takes_what_its_mode_says_and_leaves_the_rest() {
    let Some(server) = start() else { return };
    let ran = |kind: &str, line: &str| server.result(kind, line);
    let pid = server.pid();
    // Needs the same right as memory and open files, and neither root nor Yama changes that.
    let look = format!("readlink /proc/{pid}/exe >/dev/null && echo seen || echo closed");
    assert_eq!(ran("off", &look), "seen");
    for kind in ["basic", "readonly", "strict"] {
        assert_eq!(ran(kind, &look), "closed", "{kind}");
    }
    let written = |kind: &str, place: &str| {
        let said = ran(kind, &format!("echo x > {place} && echo written || true"));
        said.ends_with("written")
    };
    for kind in ["off", "basic", "readonly", "strict"] {
        for place in [
            "mine/x",
            "$TMPDIR/x",
            "$TAREAS_OUT/x",
            "/dev/null",
            "/dev/stderr",
        ] {
            assert!(written(kind, place), "{kind} {place}");
        }
        let is_free = matches!(kind, "off" | "basic");
        assert_eq!(written(kind, "elsewhere"), is_free, "{kind}");
        let seen = ran(kind, "cat secret; true").contains(CANARY);
        assert_eq!(seen, kind != "strict", "{kind}");
        assert_eq!(ran(kind, "cat shown"), "to be seen", "{kind}");
    }
    assert_eq!(server.result("stays", "x"), "good");
}

#[test]
fn a_strict_program_reaches_neither_the_network_nor_other_processes() {
    let Some(server) = start() else { return };
    let port = server.url.rsplit(':').next().unwrap();
    let connect = format!(
        "python3 -c 'import socket; socket.create_connection((str(127) + chr(46) + chr(49), {port})); print(1)'"
    );
    let signal = format!("kill -0 {} && echo 1", server.pid());
    for line in [connect, signal] {
        assert!(server.result("basic", &line).ends_with('1'), "{line}");
        let refused = server.result("strict", &format!("{line} || echo 0"));
        assert!(refused.ends_with('0'), "{line}: {refused}");
    }
}

#[test]
fn a_confined_program_is_another_user_as_before() {
    if !geteuid().is_root() {
        eprintln!("SKIPPED: only root can run programs as somebody else");
        return;
    }
    let config = "[kinds.who]\ncommand = [\"id\", \"-un\"]\nuser = \"nobody\"\ncwd = \"/\"\nsandbox = \"strict\"\n";
    let server = Server::start(config);
    assert_eq!(server.result("who", "x"), "nobody");
}
