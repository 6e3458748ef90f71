//! The programs of docs/handlers.md and of the example, run as they stand there.

use std::path::{Path, PathBuf};

use crate::server::Server;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The first block of a language.
fn block(language: &str) -> String {
    let page = std::fs::read_to_string(root().join("docs/handlers.md")).unwrap();
    let fence = format!("```{language}\n");
    let (_, rest) = page.split_once(&fence).unwrap();
    rest.split("```").next().unwrap().to_owned()
}

#[test]
fn the_page_works_as_it_stands() {
    let more = "[kinds.words]\ncommand = [\"sh\", \"words.sh\"]\n";
    let server = Server::start(&format!("{}{more}", block("toml")));
    server.write("upper.py", &block("python"));
    server.write("words.sh", &block("sh"));
    assert_eq!(server.result("reverse", "abc"), "cba");
    assert_eq!(server.result("upper", "abc"), "ABC");
    assert_eq!(server.result("words", "to be or not"), "4");
    let refused = server.tareas(&["submit", "upper", "[1]", "--wait"]);
    assert!(refused.stderr.contains("a text is expected"), "{refused:?}");
    let refused = server.tareas(&["submit", "words", "--json", "\"\"", "--wait"]);
    assert!(refused.stderr.contains("there is no text"), "{refused:?}");
}

#[test]
fn every_key_is_on_the_page() {
    let page = std::fs::read_to_string(root().join("docs/handlers.md")).unwrap();
    let table = include_str!("../../src/config/kinds/table.rs");
    let keys = table.split_once("const KEYS").unwrap().1;
    let keys = keys.split_once("];").unwrap().0;
    let keys: Vec<&str> = keys.split('"').skip(1).step_by(2).collect();
    assert!(keys.len() > 10);
    for key in keys {
        assert!(page.contains(&format!("`{key}`")), "{key}");
    }
}

#[test]
fn the_example_prints_what_its_page_says() {
    let folder = root().join("examples/csv-summary");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let server = Server::start(&read("tareas.toml"));
    server.write("summary.py", &read("summary.py"));
    let page = read("README.md");
    let payload = page.split('\'').nth(1).unwrap();
    let printed = server.result("csv.summary", payload);
    assert!(page.contains(&printed), "{printed}");
    let refused = server.tareas(&["submit", "csv.summary", r#"{"csv":"a"}"#, "--wait"]);
    assert!(refused.stderr.contains("there are no rows"), "{refused:?}");
}
