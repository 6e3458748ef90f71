//! Tables that are compared with what was accepted before.

use std::path::PathBuf;

/// Several words, or the one that all of them are.
pub(crate) fn joined(cells: &[&'static str]) -> String {
    match cells.iter().all(|cell| *cell == cells[0]) {
        true => cells[0].to_owned(),
        false => cells.join("/"),
    }
}

/// Compares with a file beside the tests, line by line; `UPDATE_GOLDEN=1` writes it.
pub(crate) fn compare(table: &str, file: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, table).unwrap();
    }
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    for (line, known) in table.lines().zip(known.lines()) {
        assert_eq!(line, known, "UPDATE_GOLDEN=1 accepts what is there now");
    }
    assert_eq!(table.lines().count(), known.lines().count());
}
