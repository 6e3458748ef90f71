//! `tareas bench` and `tareas demo`: small, but whole.

use crate::run::{Server, tareas};

#[test]
fn every_kind_of_load_checks_its_results() {
    let server = Server::start(&[]);
    for arguments in [
        &["--tasks", "3000", "--window", "500"][..],
        &["--tasks", "2000", "--connections", "3", "--form", "text"],
        &["--closed", "--connections", "20", "--tasks", "400"],
        &[
            "--closed",
            "--connections",
            "5",
            "--tasks",
            "50",
            "--form",
            "json",
        ],
        &["--submit-only", "--batch", "100", "--tasks", "1000"],
        &["--for", "200ms"],
    ] {
        let all: Vec<&str> = ["bench", "--runs", "1", "-q"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let ran = server.tareas(&all);
        assert_eq!(ran.code, 0, "{arguments:?} {ran:?}");
        assert!(
            ran.stdout.contains("every result checked, 0 wrong"),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn a_server_of_its_own_and_json() {
    let arguments = [
        "bench",
        "--spawn",
        "--threads",
        "1",
        "--tasks",
        "500",
        "--runs",
        "1",
    ];
    let ran = tareas(&[&arguments[..], &["-o", "json", "-q"]].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    for member in ["\"median_rate\":", "\"method\":", "\"fdatasync_4k_us\":"] {
        assert!(ran.stdout.contains(member), "{member} in {}", ran.stdout);
    }
}

#[test]
fn the_demonstration_shows_results_and_ends() {
    let ran = tareas(&["demo"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for part in [
        "→ 4 ",
        "→ 25 ",
        "→ 348513 ",
        "procesar datos' procesado",
        "tasks/s",
        "✓",
    ] {
        assert!(ran.stdout.contains(part), "{part} in {}", ran.stdout);
    }
    assert!(
        ran.stderr.contains("the dashboard is at http://127.0.0.1:"),
        "{}",
        ran.stderr
    );
}
