//! Rules of the house that a compiler does not check: arrows between crates, purity of core,
//! words that are not ours, versions that must not go back.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn files(under: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![under.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == ending)
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Which crates of ours each crate may use.
fn allowed() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        ("tareas-core", &[] as &[_]),
        ("tareas-services", &[]),
        ("tareas-protocol", &["tareas-core"]),
        ("tareas-worker", &["tareas-core"]),
        ("tareas-engine", &["tareas-core"]),
        ("tareas-adapters", &["tareas-core", "tareas-engine"]),
        (
            "tareas-server",
            &["tareas-core", "tareas-engine", "tareas-protocol"],
        ),
        (
            "tareas-client",
            &["tareas-core", "tareas-protocol", "tareas-worker"],
        ),
        (
            "tareas",
            &[
                "tareas-core",
                "tareas-protocol",
                "tareas-engine",
                "tareas-worker",
                "tareas-adapters",
                "tareas-server",
                "tareas-client",
            ],
        ),
    ])
}

#[test]
fn arrows_between_crates_go_down_only() {
    let metadata = metadata();
    let allowed = allowed();
    let mut seen = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let may_use = allowed
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not on the map"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let used = dependency["name"].as_str().unwrap();
            let is_for_tests = dependency["kind"] == "dev";
            if used.starts_with("tareas") && !is_for_tests {
                assert!(may_use.contains(&used), "{name} must not use {used}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 10, "the manifests were read");
}

#[test]
fn core_knows_no_io_no_async_no_clock_and_no_chance() {
    let forbidden = [
        "async fn",
        ".await",
        "tokio",
        "std::fs",
        "std::net",
        "std::thread",
        "std::sync::Mutex",
        "SystemTime",
        "Instant::now",
        "getrandom",
        "println!",
    ];
    for path in files(&root().join("crates/tareas-core/src"), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        for line in text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            for word in forbidden {
                assert!(
                    !line.contains(word),
                    "{}: `{word}` in core: {line}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn every_source_file_says_what_it_is_for() {
    for path in files(&root().join("crates"), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("//!"),
            "{} has no module documentation",
            path.display()
        );
    }
}

#[test]
fn rejected_words_are_not_in_names() {
    let rejected = [
        "job", "jobs", "dequeue", "manager", "helper", "helpers", "util", "utils",
    ];
    for path in files(&root().join("crates"), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!rejected.contains(&stem.as_str()), "{}", path.display());
        for (number, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("//") || line.contains("let rejected") {
                continue;
            }
            let code = line.split("//").next().unwrap_or_default();
            let outside_texts: String = code.split('"').step_by(2).collect();
            let outside_texts = outside_texts.replace("_util", "");
            for word in outside_texts.split(|c: char| !c.is_ascii_alphabetic()) {
                let is_rejected = rejected.contains(&word.to_ascii_lowercase().as_str());
                assert!(!is_rejected, "{}:{}: `{word}`", path.display(), number + 1);
            }
        }
    }
}

#[test]
fn versions_with_known_faults_stay_out() {
    let floors = [
        ("bytes", [1, 11, 1]),
        ("h2", [0, 4, 16]),
        ("tracing-subscriber", [0, 3, 20]),
        ("crossbeam-channel", [0, 5, 15]),
    ];
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for (name, floor) in floors {
        for package in lock.split("[[package]]") {
            if !package.contains(&format!("name = \"{name}\"\n")) {
                continue;
            }
            let version = package
                .split("version = \"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap();
            let parts: Vec<u64> = version
                .split(['.', '+', '-'])
                .take(3)
                .map(|part| part.parse().unwrap())
                .collect();
            assert!(parts.as_slice() >= floor.as_slice(), "{name} {version}");
        }
    }
    for forbidden in [
        "aws-lc-sys",
        "openssl-sys",
        "native-tls",
        "chrono-tz",
        "evalexpr",
    ] {
        assert!(
            !lock.contains(&format!("name = \"{forbidden}\"\n")),
            "{forbidden}"
        );
    }
}

#[test]
fn a_panic_in_a_handler_can_be_caught_in_every_profile() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("panic = \"abort\""));
}
