//! A migration that is killed is gone on with, and nobody serves from half of it.

use crate::run::{finish, program};
use crate::world::{Shared, are_missing, done, filled, migrate, stop};

/// Dies before the third leaf is there.
const KILL: Option<&str> = Some("before_import_commit:3:abort");
const TASKS: usize = 9_000;

#[test]
fn a_run_that_was_killed_is_gone_on_with() {
    if are_missing() {
        return;
    }
    let (server, large) = filled(TASKS);
    let shared = Shared::start();
    let folder = stop(server);
    let data = folder.path().join("data").display().to_string();
    let there = [&["--from", &data], &shared.as_target()[..]].concat();
    let killed = migrate(&there, KILL);
    assert_eq!(killed.code, -1, "{killed:?}");
    let mut serve = program();
    serve.args([
        "serve",
        "--bind",
        "127.0.0.1:0",
        "--records",
        &shared.records,
    ]);
    serve.arg("--data").arg(folder.path().join("other"));
    let refused = finish(serve, "");
    assert_eq!(refused.code, 78, "{refused:?}");
    assert!(refused.stderr.contains("tareas migrate"), "{refused:?}");
    let of_another = migrate(
        &[&["--from", &data, "--dry-run"], &shared.as_target()[..]].concat(),
        None,
    );
    assert_eq!(done(&of_another)["target"], "unfinished");
    let went_on = done(&migrate(&there, None));
    assert_eq!(
        went_on["copied_before"], 2_000,
        "the first was the note of the beginning"
    );
    assert_eq!(went_on["tasks"], TASKS + large.len());

    let back = folder.path().join("back").display().to_string();
    let from = [&shared.as_source()[..], &["--to", &back]].concat();
    assert_eq!(migrate(&from, KILL).code, -1);
    let mut serve = program();
    serve.args(["serve", "--bind", "127.0.0.1:0", "--data", &back]);
    let refused = finish(serve, "");
    assert_eq!(refused.code, 78, "{refused:?}");
    assert!(refused.stderr.contains("tareas migrate"), "{refused:?}");
    let came_back = done(&migrate(&from, None));
    assert_eq!(came_back["copied_before"], 4_000);
    assert_eq!(came_back["fingerprint"], went_on["fingerprint"]);
}
