//! Everything the fuzzers were seeded with, or ever found, holds.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../../../fuzz/checks.rs"]
mod checks;

use std::fs;
use std::path::PathBuf;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut seeds = 0;
    for entry in fs::read_dir(folder.join(target)).unwrap() {
        let path = entry.unwrap().path();
        eprintln!("{}", path.display());
        check(&fs::read(path).unwrap());
        seeds += 1;
    }
    assert!(seeds >= 15, "the corpus of {target} is missing");
}

#[test]
fn the_corpus_of_lines_holds() {
    replay("line", checks::line);
}

#[test]
fn the_corpus_of_envelopes_holds() {
    replay("envelope", checks::envelope);
}

#[test]
fn the_corpus_of_balancers_holds() {
    replay("proxy", checks::proxy);
}
