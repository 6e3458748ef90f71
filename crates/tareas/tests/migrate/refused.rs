//! What a migration refuses.

use crate::run::{Server, is_there};
use crate::world::{Shared, are_missing, done, migrate, stop};

#[test]
fn servers_that_run_are_left_alone() {
    if are_missing() {
        return;
    }
    let shared = Shared::start();
    let server = Server::start(&[]);
    server.submit(&["square", "5"]);
    let data = server.data().display().to_string();
    let there = [&["--from", &data], &shared.as_target()[..]].concat();
    let refused = migrate(&there, None);
    assert_eq!(refused.code, 75, "{refused:?}");
    let folder = stop(server);
    assert_eq!(done(&migrate(&there, None))["tasks"], 1);

    let occupied = migrate(&there, None);
    assert_eq!(occupied.code, 2, "{occupied:?}");
    let served = Server::start(&["--records", &shared.records]);
    let back = folder.path().join("back").display().to_string();
    let from = [&shared.as_source()[..], &["--to", &back]].concat();
    let refused = migrate(&from, None);
    assert_eq!(refused.code, 75, "{refused:?}");
    assert!(!is_there(&folder.path().join("back")));
    stop(served);
    assert_eq!(done(&migrate(&from, None))["tasks"], 1);
}

#[test]
fn sides_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (one, other) = (path("one"), path("other"));
    for (arguments, code) in [
        (vec!["--from", &one, "--to", &one], 2),
        (vec!["--from", &one, "--to", &other], 2),
        (vec!["--from-records", "memory:", "--to", &other], 2),
        (vec!["--from", &one, "--to-records", "mysql:x"], 78),
        (
            vec!["--from", &one, "--to", &other, "--dry-run", "--verify-only"],
            2,
        ),
    ] {
        let refused = migrate(&arguments, None);
        assert_eq!(refused.code, code, "{arguments:?} {refused:?}");
    }
    assert!(!is_there(&folder.path().join("other")));
}

#[test]
fn bytes_that_are_lost_are_named() {
    let server = Server::start(&[]);
    let id = server.submit(&["text", "100000"]);
    assert_eq!(server.tareas(&["wait", &id]).code, 0);
    let folder = stop(server);
    let data = folder.path().join("data");
    std::fs::remove_dir_all(data.join("blobs")).unwrap();
    let (data, other) = (
        data.display().to_string(),
        folder.path().join("other").display().to_string(),
    );
    let lost = migrate(&["--from", &data, "--to", &other], None);
    assert_eq!(lost.code, 1, "{lost:?}");
    assert!(lost.stderr.contains(&id), "{lost:?}");
}
