//! SIGHUP: the kinds are exchanged while tasks run.

use nix::sys::signal::Signal;

use crate::server::{Server, is_running, pid_in, until};

fn kind(name: &str, script: &str) -> String {
    format!("[kinds.{name}]\ncommand = [\"sh\", \"-c\", {script:?}]\n")
}

#[test]
fn what_runs_goes_on_and_what_comes_is_new() {
    let old = "echo $$ >near; while test ! -e go; do sleep 0.02; done; echo old";
    let server = Server::start(&(kind("work", old) + &kind("gone", "echo x")));
    let id = server.submit("work");
    pid_in(&server.path("near"));
    server.write(
        "tareas.toml",
        &(kind("work", "echo new") + &kind("more", "echo more")),
    );
    server.signal(Signal::SIGHUP);
    server.until_said("2 kinds are commands");
    assert_eq!(server.result("work", "x"), "new");
    assert_eq!(server.result("more", "x"), "more");
    let gone = server.tareas(&["submit", "gone", "x"]);
    assert!(gone.stderr.contains("[TAR-1204]"), "{gone:?}");
    server.write("go", "");
    let task = server.ended(&id);
    assert_eq!(
        (&task["result"], &task["attempt"]),
        (&"old".into(), &1.into())
    );
}

#[test]
fn a_wrong_configuration_changes_nothing() {
    let server = Server::start(&kind("work", "echo fine"));
    server.write("tareas.toml", "[kinds.work]\ncomand = [\"true\"]\n");
    server.signal(Signal::SIGHUP);
    server.until_said("did you mean `command`?");
    assert_eq!(server.result("work", "x"), "fine");
}

#[test]
fn a_persistent_process_stays_when_its_definition_does_and_ends_when_it_goes() {
    let stays = "[kinds.stays]\ncommand = [\"sh\", \"-c\", \"echo $$ >pid; while read -r line; do echo '{\\\"result\\\":1}'; done\"]\nmode = \"persistent\"\n";
    let server = Server::start(stays);
    server.result("stays", "x");
    let pid = pid_in(&server.path("pid"));
    server.write("tareas.toml", &(stays.to_owned() + &kind("more", "true")));
    server.signal(Signal::SIGHUP);
    server.until_said("2 kinds are commands");
    assert!(is_running(pid));
    server.write("tareas.toml", "");
    server.signal(Signal::SIGHUP);
    server.until_said("0 kinds are commands");
    until("its end", || !is_running(pid));
}
