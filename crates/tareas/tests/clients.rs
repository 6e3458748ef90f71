//! The packages in `clients/`, each by its own tests against the program that was just built.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn the_python_package_passes_its_tests() {
    let test = [
        "-W",
        "error::SyntaxWarning",
        "-m",
        "unittest",
        "tests.test_sdk",
    ];
    run_in("python", "python3", &test);
}

#[test]
fn the_javascript_package_passes_its_tests() {
    run_in("js", "node", &["--test", "test/"]);
}

/// Runs the tests of a package; without the interpreter they are skipped, except under CI.
fn run_in(package: &str, interpreter: &str, arguments: &[&str]) {
    if Command::new(interpreter).arg("--version").output().is_err() {
        let is_ci = std::env::var("CI").as_deref() == Ok("true");
        assert!(!is_ci, "{interpreter} is missing");
        eprintln!("SKIPPED: {interpreter} is missing, clients/{package} was not tested");
        return;
    }
    let ran = Command::new(interpreter)
        .args(arguments)
        .env("TAREAS_BIN", env!("CARGO_BIN_EXE_tareas"))
        .current_dir(folder(package))
        .output()
        .unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(ran.status.success(), "{said}");
    eprintln!("{said}");
}

fn folder(package: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../clients")
        .join(package)
}
