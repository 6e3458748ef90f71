//! The packages in `clients/`, each by its own tests against the program that was just built.

use std::path::Path;
use std::process::Command;

#[test]
fn the_python_package_passes_its_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients/python");
    let has_python = Command::new("python3").arg("--version").output().is_ok();
    if !has_python {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "python3 is missing"
        );
        eprintln!("SKIPPED: python3 is missing, the Python package was not tested");
        return;
    }
    let ran = Command::new("python3")
        .args([
            "-W",
            "error::SyntaxWarning",
            "-m",
            "unittest",
            "tests.test_sdk",
        ])
        .env("TAREAS_BIN", env!("CARGO_BIN_EXE_tareas"))
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    eprintln!("{said}");
}
