//! `--filter`: the same for many tasks; `events` and `top --once`.

use crate::run::Server;

#[test]
fn many_tasks_are_counted_then_done() {
    let server = Server::start(&[]);
    for number in 0..3 {
        server.submit(&[
            "fail",
            &format!("{{\"message\":\"no {number}\",\"retryable\":false}}"),
        ]);
    }
    let listed = server.tareas(&["wait", &server.submit(&["square", "5"])]);
    assert_eq!(listed.stdout, "25\n");
    let filter = "kind:fail state:failed";
    let until = |count: &str| {
        for _ in 0..200 {
            let ran = server.tareas(&["delete", "--filter", filter, "--dry-run"]);
            if ran.stdout.starts_with(count) {
                return ran;
            }
        }
        panic!("never {count}");
    };
    let dry = until("3 tasks match");
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(dry.stdout.contains("3  fail"), "{dry:?}");
    let asked = server.tareas(&["delete", "--filter", filter]);
    assert_eq!(asked.code, 2, "nobody is there to agree: {asked:?}");
    assert!(asked.stderr.contains("--yes"), "{asked:?}");
    let done = server.tareas(&["delete", "--filter", filter, "--yes"]);
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (0, "3 removed, 0 skipped\n")
    );
    let nothing = server.tareas(&["requeue", "--filter", filter, "--lang", "es"]);
    assert_eq!(nothing.code, 0);
    assert!(nothing.stderr.contains("ninguna tarea"), "{nothing:?}");
    let json = server.tareas(&["cancel", "--filter", "kind:square", "--yes", "-o", "json"]);
    assert!(json.stdout.contains("\"state\":\"finished\""), "{json:?}");
}

#[test]
fn a_filter_that_means_nothing_says_where_and_what_else() {
    let server = Server::start(&[]);
    let wrong = server.tareas(&["list", "kind:a", "staet:failed"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.stderr.contains("(character 8)"), "{wrong:?}");
    assert!(wrong.stderr.contains("did you mean `state`?"), "{wrong:?}");
    for arguments in [
        &["delete"][..],
        &["delete", "--dry-run"],
        &["delete", "x", "--filter", "kind:a"],
    ] {
        assert_eq!(server.tareas(arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn the_system_is_followed_and_shown_once() {
    let server = Server::start(&[]);
    let ran = server.tareas(&["events", "--count", "1", "-o", "jsonl"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.starts_with('{') && ran.stdout.contains("\"queues\""),
        "{ran:?}"
    );
    let line = server.tareas(&["events", "--count", "1"]);
    assert!(line.stdout.contains("waiting 0"), "{line:?}");
    let top = server.tareas(&["top", "--once"]);
    assert!(
        top.stdout.contains("Queues") && top.stdout.contains("local"),
        "{top:?}"
    );
    let json = server.tareas(&["top", "-o", "json"]);
    assert!(json.stdout.contains("\"workers\""), "{json:?}");
}
