//! `tareas submit`.

use crate::run::{Server, tareas, with_input};

#[test]
fn the_id_or_the_result_and_nothing_else() {
    let server = Server::start(&[]);
    let ran = server.tareas(&["submit", "square", "5"]);
    assert_eq!(
        (ran.code, ran.stdout.trim().len(), ran.stderr.as_str()),
        (0, 36, "")
    );
    let ran = server.tareas(&["submit", "sumar", "2", "+", "2", "--wait"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (0, "4\n", "")
    );
    let ran = server.tareas(&["enviar", "procesar", "datos", "-w"]);
    assert_eq!(
        ran.stdout,
        "Resultado de 'procesar datos' procesado correctamente.\n"
    );
}

#[test]
fn payloads_from_words_json_files_and_stdin() {
    let server = Server::start(&[]);
    let result = |arguments: &[&str], input: &str| {
        let ran = server.with_input(arguments, input);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.stdout
    };
    assert_eq!(
        result(&["submit", "square", r#"{"n":7}"#, "--wait"], ""),
        "49\n"
    );
    assert_eq!(
        result(&["submit", "echo", "--json", "[1,2]", "--wait"], ""),
        "[1,2]\n"
    );
    assert_eq!(
        result(&["submit", "restar", "5", "-3", "--wait"], ""),
        "8\n"
    );
    assert_eq!(
        result(&["submit", "sumar", "-", "--wait"], "20 + 22\n"),
        "42\n"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{\n  \"n\": 9\n}\n").unwrap();
    let at_file = format!("@{}", file.path().display());
    assert_eq!(
        result(&["submit", "square", &at_file, "--wait"], ""),
        "81\n"
    );
    let huge = "9".repeat(300);
    let sum = format!("{huge} + 0");
    assert_eq!(
        result(&["submit", "sumar", &sum, "--wait"], ""),
        format!("{huge}\n")
    );
}

#[test]
fn outcomes_are_exit_codes() {
    let server = Server::start(&[]);
    let failed = server.tareas(&["submit", "dividir", "1", "0", "--wait"]);
    assert_eq!((failed.code, failed.stdout.as_str()), (1, ""));
    assert!(failed.stderr.starts_with("error: "), "{}", failed.stderr);
    assert!(
        failed
            .stderr
            .lines()
            .next()
            .unwrap()
            .ends_with("[TAR-3004]"),
        "{}",
        failed.stderr
    );
    let unknown = server.tareas(&["submit", "sqaure", "5"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (2, ""));
    assert!(unknown.stderr.contains("[TAR-1204]") && unknown.stderr.contains("square"));
    let late = server.tareas(&["submit", "sleep", "5000", "--wait", "--timeout", "50ms"]);
    assert_eq!(late.code, 3, "{late:?}");
    assert!(late.stderr.contains("tareas wait "), "{}", late.stderr);
}

#[test]
fn one_key_is_one_task() {
    let server = Server::start(&[]);
    let first = server.submit(&["procesar", "x", "--key", "k1"]);
    let second = server.submit(&["procesar", "x", "--key", "k1"]);
    assert_eq!(first, second);
    let other = server.tareas(&["submit", "procesar", "y", "--key", "k1"]);
    assert_eq!(other.code, 7, "{other:?}");
    assert!(other.stderr.contains("[TAR-1206]"));
}

#[test]
fn json_output_is_the_line_of_the_wire_and_errors_go_to_stderr() {
    let server = Server::start(&[]);
    let ran = server.tareas(&["submit", "square", "5", "--wait", "-o", "json"]);
    assert!(ran.stdout.starts_with(r#"{"task_id":""#), "{}", ran.stdout);
    assert!(
        ran.stdout
            .ends_with("\",\"status\":\"succeeded\",\"result\":25}\n"),
        "{}",
        ran.stdout
    );
    let queued = server.tareas(&["submit", "square", "5", "-o", "json"]);
    assert!(
        queued.stdout.ends_with("\",\"status\":\"queued\"}\n"),
        "{}",
        queued.stdout
    );
    let refused = server.tareas(&["submit", "nothing", "-o", "json"]);
    assert_eq!(refused.stdout, "");
    assert!(
        refused.stderr.starts_with(r#"{"error":{"code":"TAR-1204""#),
        "{}",
        refused.stderr
    );
}

#[test]
fn nobody_there_is_69_in_both_languages() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("tcp://127.0.0.1:{port}");
    let ran = tareas(&["submit", "square", "5", "-s", &url]);
    assert_eq!((ran.code, ran.stdout.as_str()), (69, ""));
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(
        lines[0],
        format!("error: cannot reach the server at {url}  [TAR-1001]")
    );
    assert!(
        lines[1].starts_with("  connection refused, 3 tries in "),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].starts_with("  hint: start one here with `tareas serve`"),
        "{}",
        lines[2]
    );
    let ran = tareas(&["--lang", "es", "submit", "square", "5", "-s", &url]);
    let first = format!("error: no se puede contactar con el servidor en {url}  [TAR-1001]");
    assert_eq!(ran.stderr.lines().next().unwrap(), first);
    assert!(
        ran.stderr.contains("\n  pista: inicie uno aquí"),
        "{}",
        ran.stderr
    );
}

#[test]
fn wrong_use_is_2() {
    for arguments in [
        &["submit"][..],
        &["submit", "square", "--priority", "10"],
        &["submit", "square", "--json", "{"],
        &["submit", "square", "@/does/not/exist"],
        &["submit", "square", "--at", "whenever"],
        &["submit", "square", "-s", "ftp://x"],
        &["nonsense"],
    ] {
        let ran = with_input(arguments, "");
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (2, ""),
            "{arguments:?} {ran:?}"
        );
        assert!(!ran.stderr.is_empty());
    }
    assert!(
        tareas(&["sumbit"]).stderr.contains("'submit'"),
        "the nearest command is named"
    );
}

#[test]
fn a_task_for_later_waits_and_says_when() {
    let server = Server::start(&[]);
    let ran = server.tareas(&["submit", "square", "5", "--at", "2099-01-31 09:00"]);
    assert_eq!(ran.stderr, "due at 2099-01-31 09:00:00 UTC\n");
    let shown = server.tareas(&["show", ran.stdout.trim(), "-o", "json"]);
    assert!(
        shown.stdout.contains(r#""status":"scheduled""#),
        "{}",
        shown.stdout
    );
    assert!(
        shown
            .stdout
            .contains(r#""due_at":"2099-01-31T09:00:00.000Z""#),
        "{}",
        shown.stdout
    );
}
