//! `tareas backup` and `restore`.

use crate::run::{Server, is_there, tareas};

#[test]
fn a_backup_of_a_running_server_is_restored_elsewhere() {
    let server = Server::start(&[]);
    let id = server.submit(&["square", "5"]);
    let large = server.submit(&["text", "100000"]);
    assert_eq!(server.tareas(&["wait", &id, &large]).code, 0);
    let place = tempfile::tempdir().unwrap();
    let (backup, data) = (
        place.path().join("backup"),
        server.data().display().to_string(),
    );
    let backup_path = backup.display().to_string();
    let ran = tareas(&["backup", &backup_path, "--data", &data]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(is_there(&backup.join("tareas.db")) && is_there(&backup.join("blobs")));
    assert_eq!(
        tareas(&["backup", &backup_path, "--data", &data]).code,
        2,
        "never overwritten"
    );

    let in_use = tareas(&["restore", &backup_path, "--data", &data, "--force"]);
    assert_eq!(in_use.code, 75, "{in_use:?}");
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let restored = folder.path().join("data").display().to_string();
    assert_eq!(
        tareas(&["restore", &backup_path, "--data", &restored]).code,
        0
    );
    let again = tareas(&["restore", &backup_path, "--data", &restored]);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(again.stderr.contains("--force"), "{again:?}");
    assert_eq!(
        tareas(&["restore", &backup_path, "--data", &restored, "--force"]).code,
        0
    );

    let second = Server::start_in(folder, &[]);
    assert_eq!(second.tareas(&["result", &id]).stdout, "25\n");
    let text = second.tareas(&["result", &large]);
    assert_eq!(text.stdout.trim_end().len(), 100_000);
}

#[test]
fn what_is_no_backup_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (path, data) = (
        place.path().display().to_string(),
        place.path().join("data"),
    );
    let ran = tareas(&["restore", &path, "--data", &data.display().to_string()]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(!is_there(&data));
    let nothing = tareas(&[
        "backup",
        &format!("{path}/b"),
        "--data",
        &format!("{path}/none"),
    ]);
    assert_eq!(nothing.code, 2, "{nothing:?}");
}
