//! `--help` as it was last looked at, and what needs no server.
//!
//! `UPDATE_GOLDEN=1` writes the golden files anew.

use crate::run::{finish, program, tareas};

fn golden(name: &str, actual: &str) {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        actual, expected,
        "{name}: UPDATE_GOLDEN=1 accepts what is there now"
    );
}

fn help(arguments: &[&str]) -> String {
    let mut command = program();
    command.args(arguments).env("COLUMNS", "100");
    let ran = finish(command, "");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments:?}");
    ran.stdout
}

#[test]
fn help_in_both_languages() {
    golden("help.txt", &help(&["--help"]));
    golden("help.es.txt", &help(&["--lang", "es", "--help"]));
    golden("help-serve.txt", &help(&["serve", "--help"]));
    golden("help-submit.txt", &help(&["submit", "--help"]));
    golden(
        "help-submit.es.txt",
        &help(&["submit", "--help", "--lang=es"]),
    );
}

#[test]
fn codes_are_explained_without_a_server() {
    let ran = tareas(&["explain", "TAR-1204"]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.stdout.starts_with("TAR-1204 unknown_kind\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(tareas(&["explain", "unknown_kind", "--lang", "es"]).code, 0);
    assert!(tareas(&["explain"]).stdout.contains("TAR-9001"));
    assert_eq!(tareas(&["explain", "TAR-1"]).code, 2);
}

#[test]
fn completions_and_manual() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = tareas(&["completions", shell]);
        assert!(ran.code == 0 && ran.stdout.contains("tareas"), "{shell}");
    }
    assert!(tareas(&["man"]).stdout.contains(".TH tareas"));
    let folder = tempfile::tempdir().unwrap();
    let ran = tareas(&["man", "--out", &folder.path().display().to_string()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(folder.path().join("tareas-submit.1").exists());
}

#[test]
fn version() {
    let ran = tareas(&["--version"]);
    assert_eq!(
        ran.stdout,
        format!("tareas {}\n", env!("CARGO_PKG_VERSION"))
    );
}
