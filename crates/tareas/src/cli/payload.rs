//! The payload of a submission, from arguments, a file or stdin.
//!
//! One argument that parses as a JSON object or array is the payload; otherwise the words,
//! joined by a space, are a string. `@file` and `-` give the text of a file or of stdin to the
//! same rule. `--json TEXT` is the payload as it is.

use std::io::Read;

use serde_json::value::RawValue;
use tareas_client::Submit;
use tareas_protocol::code::exit;
use tareas_protocol::{Code, Lang};

use crate::output::{Failure, spoken};
use crate::text::Text;

/// The submission of a kind with what the arguments give.
pub(super) fn submission(
    kind: &str,
    words: &[String],
    json: Option<&str>,
    lang: Lang,
) -> Result<Submit, Failure> {
    if let Some(json) = json {
        return checked(json, lang).map(|()| Submit::new(kind, json.trim()));
    }
    let text = match words {
        [one] if one == "-" => stdin(lang)?,
        [one] if one.starts_with('@') => file(&one[1..], lang)?,
        words => words.join(" "),
    };
    Ok(of_text(kind, &text))
}

/// The submission that a text is the payload of.
pub(super) fn of_text(kind: &str, text: &str) -> Submit {
    let trimmed = text.trim();
    let may_be_json = trimmed.starts_with(['{', '[']);
    match may_be_json && serde_json::from_str::<&RawValue>(trimmed).is_ok() {
        true => Submit::new(kind, one_line(trimmed)),
        false => Submit::words(kind, text),
    }
}

/// JSON over several lines, as one line: line breaks in JSON stand between tokens alone.
fn one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}

fn checked(json: &str, lang: Lang) -> Result<(), Failure> {
    serde_json::from_str::<&RawValue>(json.trim())
        .map(|_| ())
        .map_err(|error| {
            Failure::usage(lang, Text::NotJson, &[("why", &error)])
                .with_hint(Text::NotJsonHint.plain(lang))
        })
}

fn stdin(lang: Lang) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().read_to_end(&mut bytes);
    read.map_err(|error| unreadable("-", &error, lang))?;
    text(bytes, "-", lang)
}

fn file(path: &str, lang: Lang) -> Result<String, Failure> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error, lang))?;
    text(bytes, path, lang)
}

fn text(bytes: Vec<u8>, path: &str, lang: Lang) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|_| Failure::usage(lang, Text::NotUtf8, &[("path", &path)]))
}

/// The failure for a file that cannot be read.
pub(super) fn unreadable(path: &str, error: &std::io::Error, lang: Lang) -> Failure {
    Failure::new(
        Code::InvalidValue,
        lang,
        Text::CannotRead,
        &[("path", &path)],
    )
    .because(spoken(error, lang))
    .with_hint("")
    .with_exit(exit::REFUSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(words: &[&str]) -> String {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        submission("k", &words, None, Lang::En).unwrap().payload
    }

    #[test]
    fn words_are_a_string_and_objects_are_themselves() {
        assert_eq!(payload(&["2", "+", "2"]), "\"2 + 2\"");
        assert_eq!(payload(&[]), "\"\"");
        assert_eq!(payload(&["5"]), "\"5\"");
        assert_eq!(payload(&["{\"n\":5}"]), "{\"n\":5}");
        assert_eq!(payload(&["[1,\n2]"]), "[1, 2]");
        assert_eq!(payload(&["{broken"]), "\"{broken\"");
        assert_eq!(payload(&["say", "\"hi\""]), "\"say \\\"hi\\\"\"");
    }

    #[test]
    fn json_may_be_any_value_and_is_checked() {
        let json = |text| submission("k", &[], Some(text), Lang::En);
        assert_eq!(json(" 5 ").unwrap().payload, "5");
        assert_eq!(json("{").unwrap_err().exit_code(), 2);
    }
}
