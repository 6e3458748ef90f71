//! The dashboard in a real browser: every page in both languages, both colours and two sizes, and
//! what people do with it from their first click to its end. The tests are the `*.test.js` here; this
//! file gives them the program that was just built, Debian's Chromium and two packages of npm.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The packages, fixed by their digests.
const LOCK: &str = include_str!("package-lock.json");

#[test]
fn every_page_is_sound_in_every_look() {
    run("looks.test.js");
}

#[test]
fn what_people_begin_comes_to_its_end() {
    run("journeys.test.js");
}

#[test]
fn it_is_an_application_for_phones_and_keys() {
    run("install.test.js");
}

#[test]
fn a_tab_that_is_left_open_does_not_grow() {
    run("left-open.test.js");
}

/// Runs the tests of one file.
fn run(suite: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let (Some(chromium), Some(modules)) = (chromium(), modules(&here)) else {
        return;
    };
    let ran = Command::new("node")
        .args(["--test", suite])
        .env("TAREAS_BIN", env!("CARGO_BIN_EXE_tareas"))
        .env("TAREAS_CHROMIUM", chromium)
        .env("TAREAS_MODULES", modules)
        .current_dir(&here)
        .output()
        .unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(ran.status.success(), "{said}");
    eprintln!("{said}");
}

fn chromium() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.into_iter().find(|name| answers(name));
    if found.is_none() {
        missing("chromium");
    }
    found
}

/// The folder with the packages, installed once for each content of the lock file. It is made
/// beside and then renamed, so that it is never half there.
fn modules(here: &Path) -> Option<PathBuf> {
    let name = format!("browser-{:016x}", fingerprint(LOCK.as_bytes()));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    if !answers("node") || !answers("npm") {
        missing("node or npm");
        return None;
    }
    let beside = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for file in ["package.json", "package-lock.json"] {
        fs::copy(here.join(file), beside.path().join(file)).unwrap();
    }
    let installed = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(beside.path())
        .output()
        .unwrap();
    if !installed.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&installed.stderr));
        missing("the packages of npm");
        return None;
    }
    // Another run may have been quicker; then its folder is as good.
    let _ = fs::rename(beside.path(), &folder);
    folder.is_dir().then_some(folder)
}

fn answers(program: &str) -> bool {
    let asked = Command::new(program).arg("--version").output();
    asked.is_ok_and(|answer| answer.status.success())
}

/// Without a tool the tests are skipped, except under CI.
fn missing(what: &str) {
    let is_ci = std::env::var("CI").as_deref() == Ok("true");
    assert!(!is_ci, "missing: {what}");
    eprintln!("SKIPPED: missing: {what}; the dashboard was not tested in a browser");
}

/// Names a content (FNV-1a).
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |print, byte| {
        (print ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
