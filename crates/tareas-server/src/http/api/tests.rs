//! The table is whole, and `docs/openapi.json` is what it generates.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;
use tareas_protocol::Lang;

use super::document::{document, schema_of};
use super::operation::{Operation, Shape, Within};
use super::operations;
use super::schemas::schemas;
use super::viewer::curl;

/// The version in the golden file: it does not change with releases.
const VERSION: &str = "1";

#[test]
fn the_document_in_docs_is_the_one_that_is_generated() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let mut text = serde_json::to_string_pretty(&document(VERSION, Lang::En)).unwrap();
    text.push('\n');
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        known == text,
        "docs/openapi.json is stale: run with UPDATE_DOCS=1"
    );
}

#[test]
fn operations_are_described_in_both_languages_and_once() {
    let mut ids = BTreeSet::new();
    let mut places = BTreeSet::new();
    for operation in operations() {
        assert!(ids.insert(operation.id), "{}", operation.id);
        assert!(
            places.insert((operation.path, operation.method)),
            "{}",
            operation.id
        );
        assert!(
            operation.summary.iter().all(|text| !text.is_empty()),
            "{}",
            operation.id
        );
        assert_eq!(operation.about[0].is_empty(), operation.about[1].is_empty());
        assert!(!operation.answers.is_empty(), "{}", operation.id);
        let in_path = operation.path.matches('{').count();
        let described = operation
            .parameters
            .iter()
            .filter(|known| known.within == Within::Path);
        assert_eq!(described.count(), in_path, "{}", operation.id);
        assert!(!curl(operation, "http://x").contains('{') || operation.body.is_some());
    }
}

#[test]
fn no_operation_is_left_without_an_action_of_its_own() {
    // Whoever names none gets the one of tokens, which is for administrators.
    for operation in operations().filter(|known| known.action == Operation::BASE.action) {
        let is_about_tokens = ["/v1/tokens", "/v1/login-links"]
            .iter()
            .any(|start| operation.path.starts_with(start));
        assert!(is_about_tokens, "{} has no action", operation.id);
    }
}

#[test]
fn whatever_is_referred_to_exists() {
    for lang in [Lang::En, Lang::Es] {
        let all = schemas(lang);
        let document = document(VERSION, lang).to_string();
        for part in document.split("#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(all.get(name).is_some(), "{name}");
        }
    }
    for operation in operations() {
        for parameter in operation.parameters {
            assert_ne!(schema_of(parameter), Value::Null, "{}", parameter.name);
            assert!(
                parameter.about.iter().all(|text| !text.is_empty()),
                "{}",
                parameter.name
            );
        }
        for (_, name) in operation.body.iter().flat_map(|body| body.types) {
            assert!(schemas(Lang::En).get(*name).is_some(), "{name}");
        }
        for answer in operation.answers {
            if let Shape::Json(name) = answer.shape {
                assert!(schemas(Lang::En).get(name).is_some(), "{name}");
            }
        }
    }
}
