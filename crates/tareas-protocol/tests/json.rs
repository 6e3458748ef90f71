//! The scanner accepts what JSON is, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;
use tareas_protocol::json::{
    FlawKind, Scanner, ValueKind, append_on_one_line, append_string, unescape,
};
use tareas_protocol::limits::{JSON_DEPTH_MAX, JSON_KEYS_MAX};

fn flaw(text: &str) -> FlawKind {
    Scanner::check(text).unwrap_err().kind
}

#[test]
fn values_are_told_apart() {
    let table = [
        ("null", ValueKind::Null),
        (" false ", ValueKind::False),
        ("true", ValueKind::True),
        ("-0.5e+300", ValueKind::Number),
        ("\"\"", ValueKind::Text),
        ("[]", ValueKind::Array),
        ("[[],{},[1,{\"a\":[ ]}]]", ValueKind::Array),
        ("{\"a\" : {\"b\" : [1 , 2]} }", ValueKind::Object),
    ];
    for (text, kind) in table {
        assert_eq!(Scanner::check(text), Ok(kind), "{text}");
    }
}

#[test]
fn every_flaw_has_its_name() {
    use FlawKind::*;
    let table = [
        ("", UnexpectedEnd),
        ("{\"a\":", UnexpectedEnd),
        ("\"abc", UnexpectedEnd),
        ("\"\\u12", BadEscape),
        ("[1", UnexpectedEnd),
        ("tru", Unexpected),
        ("[1,]", Unexpected),
        ("{\"a\":1,}", Unexpected),
        ("{a:1}", Unexpected),
        ("[1}", Unexpected),
        ("{\"a\" 1}", Unexpected),
        ("'a'", Unexpected),
        ("NaN", Unexpected),
        ("1 2", Trailing),
        ("01", Trailing),
        ("\"a\tb\"", ControlCharacter),
        ("\"\u{0}\"", ControlCharacter),
        ("\"\\x41\"", BadEscape),
        ("\"\\u12g4\"", BadEscape),
        ("\"\\ud800\"", LoneSurrogate),
        ("\"\\udc00 and more\"", LoneSurrogate),
        ("\"\\ud800\\u0041 and more\"", LoneSurrogate),
        ("[-]", BadNumber),
        ("[1.]", BadNumber),
        ("[1e+]", BadNumber),
    ];
    for (text, kind) in table {
        assert_eq!(flaw(text), kind, "{text}");
    }
}

#[test]
fn nesting_ends_at_the_limit() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let limit = JSON_DEPTH_MAX as usize;
    assert_eq!(Scanner::check(&nested(limit)), Ok(ValueKind::Array));
    assert_eq!(flaw(&nested(limit + 1)), FlawKind::TooDeep);
    let object = |depth| format!("{{\"a\":{}}}", nested(depth));
    assert!(Scanner::new().object(&object(limit - 1)).is_ok());
    let refused = Scanner::new().object(&object(limit)).unwrap_err();
    assert_eq!(refused.kind, FlawKind::TooDeep);
    assert_eq!(flaw(&"[".repeat(1_000_000)), FlawKind::TooDeep);
}

#[test]
fn keys_are_counted_at_every_depth() {
    let keys = |count: usize| {
        let members: Vec<_> = (0..count).map(|key| format!("\"{key}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    let nested = |count: usize| format!("{{\"in\":{}}}", keys(count - 1));
    for text in [keys(JSON_KEYS_MAX), nested(JSON_KEYS_MAX)] {
        assert_eq!(Scanner::new().object(&text).unwrap().keys(), JSON_KEYS_MAX);
    }
    for text in [keys(JSON_KEYS_MAX + 1), nested(JSON_KEYS_MAX + 1)] {
        let refused = Scanner::new().object(&text).unwrap_err();
        assert_eq!(refused.kind, FlawKind::TooManyKeys);
    }
}

#[test]
fn members_standing_twice_are_found_however_they_are_written() {
    let twice = |text: &str| {
        let mut scanner = Scanner::new();
        let object = scanner.object(text).unwrap();
        object
            .duplicate()
            .map(|member| object.key(member).into_owned())
    };
    assert_eq!(twice(r#"{"a":1,"b":2,"A":3}"#), None);
    assert_eq!(twice(r#"{"op":1,"\u006fp":2}"#).as_deref(), Some("op"));
    let many: Vec<_> = (0..100).map(|key| format!("\"k{key}\":0")).collect();
    let many = many.join(",");
    assert_eq!(twice(&format!("{{{many}}}")), None);
    let again = format!("{{{many},\"\\u006b7\":0}}");
    assert_eq!(twice(&again).as_deref(), Some("k7"));
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// What serde_json says, with numbers of any size and without half surrogates.
fn is_json(text: &str) -> bool {
    let grammar = serde_json::from_str::<&RawValue>(text).is_ok();
    let meaning = serde_json::from_str::<Value>(text);
    grammar && meaning.map_or_else(|error| error.to_string().contains("out of range"), |_| true)
}

proptest! {
    #[test]
    fn what_is_json_is_accepted(value in json(), pretty: bool) {
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        prop_assert!(Scanner::check(&text).is_ok(), "{}", text);
        let mut line = Vec::new();
        append_on_one_line(&mut line, text.as_bytes());
        prop_assert!(!line.contains(&b'\n'));
        let read = |json: &[u8]| serde_json::from_slice::<Value>(json).unwrap();
        prop_assert_eq!(read(&line), read(text.as_bytes()));
    }

    #[test]
    fn damaged_json_is_judged_as_by_serde_json(
        value in json(),
        at in any::<prop::sample::Index>(),
        damage in prop::sample::select(vec!["", "\"", "\\", "{", "]", ",", ":", "0", ".", "e", " ", "\n", "\\ud83d"]),
        cut in 0_usize..3,
    ) {
        let text = value.to_string();
        let characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len());
        let mut damaged: String = characters[..at].iter().collect();
        damaged.push_str(damage);
        damaged.extend(characters.iter().skip(at + cut));
        prop_assert_eq!(Scanner::check(&damaged).is_ok(), is_json(&damaged), "{}", damaged);
    }

    #[test]
    fn noise_is_judged_as_by_serde_json(text in "[\\[\\]{}\",:0-9.eE+\\-tfn \\\\a]{0,16}") {
        prop_assert_eq!(Scanner::check(&text).is_ok(), is_json(&text), "{}", text);
    }

    #[test]
    fn spans_put_together_are_the_object(
        members in prop::collection::btree_map(any::<String>(), json(), 0..8),
    ) {
        let text = Value::Object(members.clone().into_iter().collect()).to_string();
        let mut scanner = Scanner::new();
        let object = scanner.object(&text).unwrap();
        prop_assert_eq!(object.members().len(), members.len());
        let parts: Vec<String> = object.members().iter().map(|member| {
            let mut key = Vec::new();
            append_string(&mut key, &object.key(member));
            format!("{}:{}", String::from_utf8(key).unwrap(), object.value(member))
        }).collect();
        prop_assert_eq!(format!("{{{}}}", parts.join(",")), &*text);
        for member in object.members() {
            prop_assert!(members.contains_key(&*object.key(member)));
        }
    }

    #[test]
    fn a_string_written_reads_back(text: String) {
        let mut out = Vec::new();
        append_string(&mut out, &text);
        prop_assert_eq!(&serde_json::from_slice::<String>(&out).unwrap(), &text);
        let written = std::str::from_utf8(&out).unwrap();
        prop_assert_eq!(unescape(&written[1..written.len() - 1]), text);
    }
}
