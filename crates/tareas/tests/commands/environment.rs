//! What a program gets from the server: what was written down for it, and nothing else.

use crate::server::Server;

const CANARY: &str = "canary-5b1f0c";

#[test]
fn no_secret_of_the_server_reaches_a_program() {
    let config = "[kinds.env]\ncommand = [\"sh\", \"-c\", \"env; ls -l /proc/self/fd; cat /proc/self/cmdline /proc/$PPID/environ\"]\n\
                  env = { MODE = \"fast\" }\n";
    let server = Server::start_with(config, |command| {
        command.env("AWS_SECRET_ACCESS_KEY", CANARY);
        command.env("TAREAS_SOMETHING", CANARY);
        command.env("PGPASSWORD", CANARY);
    });
    let result = server.result("env", CANARY.replace("canary", "payload").as_str());
    assert!(!result.contains(CANARY), "{result}");
    assert!(
        !result.contains("tareas.db") && !result.contains("socket:"),
        "{result}"
    );
    let names = result
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name);
    let known = [
        "PATH",
        "HOME",
        "LANG",
        "TZ",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
        "TMPDIR",
        "MODE",
        "TAREAS_TASK_ID",
        "TAREAS_ATTEMPT",
        "TAREAS_KIND",
        "TAREAS_QUEUE",
        "TAREAS_DEADLINE",
        "TAREAS_OUT",
    ];
    for name in names.filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_')) {
        assert!(known.contains(&name), "{name} in {result}");
    }
    for name in [
        "MODE=fast",
        "TAREAS_ATTEMPT=1",
        "TAREAS_KIND=env",
        "TAREAS_QUEUE=default",
    ] {
        assert!(result.contains(name), "{name} in {result}");
    }
}

#[test]
fn the_folder_for_temporary_files_is_private_and_goes_with_the_task() {
    let script = "touch \\\"$TMPDIR/x\\\"; stat -c %a \\\"$TMPDIR\\\"; echo $TMPDIR";
    let server = Server::start(&format!(
        "[kinds.temp]\ncommand = [\"sh\", \"-c\", \"{script}\"]\n"
    ));
    let result = server.result("temp", "x");
    let (mode, folder) = result.split_once('\n').unwrap();
    assert_eq!(mode, "700");
    assert!(!std::path::Path::new(folder).exists(), "{folder}");
}

#[test]
fn nothing_of_a_payload_is_run() {
    let config = "[kinds.copy]\ncommand = [\"cat\"]\n";
    let server = Server::start(config);
    let hostile = "$(touch pwned); `touch pwned`; --help | touch pwned";
    assert_eq!(server.result("copy", hostile), hostile);
    assert!(!server.path("pwned").exists());
}
