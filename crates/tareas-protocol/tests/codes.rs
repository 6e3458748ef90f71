//! The table of codes is whole, and `docs/errors/` is what it generates.

use std::collections::HashSet;
use std::path::PathBuf;
use std::{env, fs};
use tareas_protocol::code::{Code, index};
use tareas_protocol::{ErrorObject, Lang};

#[test]
fn every_code_has_a_row_of_its_own() {
    let mut numbers = HashSet::new();
    let mut names = HashSet::new();
    for code in Code::ALL {
        assert!(numbers.insert(code.number()), "{code} stands twice");
        assert!(names.insert(code.name()), "{} stands twice", code.name());
        assert_eq!(Code::from_number(code.number()), Some(*code));
        assert!((400..600).contains(&code.http_status()), "{code}");
        assert_ne!(code.exit_code(), 0, "{code}");
    }
    assert!(Code::ALL.is_sorted());
}

#[test]
fn every_code_has_its_prose_in_both_languages() {
    for code in Code::ALL {
        let (en, es) = (code.prose(Lang::En), code.prose(Lang::Es));
        for prose in [en, es] {
            assert!(
                !prose.message.is_empty() && !prose.hint.is_empty(),
                "{code}"
            );
            assert!(prose.explanation.ends_with('.'), "{code}");
            assert!(
                !prose.message.ends_with('.') && !prose.hint.ends_with('.'),
                "{code}"
            );
            let all = format!("{} {} {}", prose.message, prose.hint, prose.explanation);
            assert!(!all.contains("  ") && !all.contains('\n'), "{code}: {all}");
        }
        assert_ne!(en.message, es.message, "{code}");
        assert_ne!(en.explanation, es.explanation, "{code}");
    }
}

#[test]
fn numbers_that_others_rely_on_stay() {
    let table = [
        (Code::Unreachable, 1001, "unreachable"),
        (Code::Malformed, 1201, "malformed"),
        (Code::UnknownMember, 1202, "unknown_member"),
        (Code::InvalidPayload, 1203, "invalid_payload"),
        (Code::UnknownKind, 1204, "unknown_kind"),
        (Code::TooLarge, 1205, "too_large"),
        (Code::IdempotencyMismatch, 1206, "idempotency_mismatch"),
        (Code::NotFound, 1207, "not_found"),
        (Code::Overloaded, 1301, "overloaded"),
        (Code::Rejected, 3004, "rejected"),
        (Code::Bug, 9001, "bug"),
    ];
    for (code, number, name) in table {
        assert_eq!((code.number(), code.name()), (number, name));
    }
}

#[test]
fn a_code_is_found_by_its_text() {
    for text in ["TAR-1204", "tar-1204", "1204", "unknown_kind"] {
        assert_eq!(Code::parse(text), Some(Code::UnknownKind), "{text}");
    }
    for text in ["", "TAR-", "TAR-1", "añoñ", "kind"] {
        assert_eq!(Code::parse(text), None, "{text}");
    }
}

#[test]
fn an_error_object_reads_back_as_it_was_written() {
    for code in Code::ALL {
        for lang in [Lang::En, Lang::Es] {
            let mut error = ErrorObject::new(*code, lang).retry_after(1_500);
            error.pointer = Some("/a~1b/\"".to_owned());
            let mut out = Vec::new();
            error.append_object(&mut out);
            let text = String::from_utf8(out).unwrap();
            assert_eq!(ErrorObject::parse(&text), Some(error));
        }
    }
}

#[test]
fn a_code_of_a_newer_version_is_carried_and_falls_back_to_its_range() {
    let text = r#"{"code":"TAR-1399","name":"novel","message":"m","newer":{"x":[1]}}"#;
    let error = ErrorObject::parse(text).unwrap();
    assert_eq!(error.code(), None);
    assert_eq!(
        (error.number, &*error.name, error.exit_code()),
        (1399, "novel", 75)
    );
    assert_eq!(ErrorObject::parse(r#"{"message":"m"}"#), None);
}

#[test]
fn the_pages_are_what_the_table_generates() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    let mut pages = vec![("README.md".to_owned(), index())];
    pages.extend(
        Code::ALL
            .iter()
            .map(|code| (format!("{code}.md"), code.page())),
    );
    let update = env::var_os("UPDATE_DOCS").is_some();
    if update {
        fs::create_dir_all(&folder).unwrap();
    }
    for (name, page) in &pages {
        let path = folder.join(name);
        if update {
            fs::write(&path, page).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == *page,
            "docs/errors/{name} is stale: run with UPDATE_DOCS=1"
        );
    }
    let known: HashSet<_> = pages.into_iter().map(|(name, _)| name).collect();
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            known.contains(&name),
            "docs/errors/{name} belongs to no code"
        );
    }
}
