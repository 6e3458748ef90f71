//! What a typed line asks for.

use tareas_client::Submit;
use tareas_protocol::request::{Decoder, Face, Request};
use tareas_protocol::{ErrorObject, Lang};

/// One line, understood.
#[derive(Debug)]
pub(super) enum Typed {
    /// Nothing was typed.
    Nothing,
    /// To leave.
    Leave,
    /// A task.
    Task(Box<Task>),
    /// Something else that a server answers: `help`, a JSON command. Sent as it is.
    Line(String),
    /// Not a line that a server would take.
    Wrong(Box<ErrorObject>),
}

/// A task to be submitted.
#[derive(Debug)]
pub(super) struct Task {
    /// What is sent.
    pub(super) submit: Submit,
    /// As it was typed, for `Task '…' sent`.
    pub(super) text: String,
    /// It was typed as JSON: its acknowledgement is shown.
    pub(super) is_json: bool,
    /// It ended with `&`: not waited for.
    pub(super) in_background: bool,
}

/// Reads a line as the server would.
pub(super) fn read(line: &str, lang: Lang) -> Typed {
    let line = line.trim();
    let (text, in_background) = match line.strip_suffix('&') {
        // `a && b` is no wish to go on; neither is an ampersand inside JSON.
        Some(text) if !text.ends_with('&') => (text.trim_end(), true),
        _ => (line, false),
    };
    if text.is_empty() {
        return Typed::Nothing;
    }
    let decoded = Decoder::new()
        .line(text.as_bytes())
        .request
        .map(|request| match request {
            Request::Leave => Typed::Leave,
            Request::Text { kind, rest } => task(Submit::words(kind, rest), text, in_background),
            Request::Submit(wire) => task(Submit::from_wire(&wire), text, in_background),
            _ => Typed::Line(text.to_owned()),
        });
    decoded.unwrap_or_else(|refusal| Typed::Wrong(Box::new(refusal.to_error(lang))))
}

fn task(submit: Submit, text: &str, in_background: bool) -> Typed {
    let is_json = Face::of(text.as_bytes()) == Face::Json;
    Typed::Task(Box::new(Task {
        submit,
        text: text.to_owned(),
        is_json,
        in_background,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task_of(line: &str) -> Task {
        match read(line, Lang::En) {
            Typed::Task(task) => *task,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn text_json_and_background() {
        let text = task_of("  sumar 2 + 2 ");
        assert_eq!(
            (text.submit.kind.as_str(), text.submit.payload.as_str()),
            ("sumar", "\"2 + 2\"")
        );
        assert!(!text.is_json && !text.in_background);
        let background = task_of("procesar datos &");
        assert!(background.in_background);
        assert_eq!(background.text, "procesar datos");
        let json = task_of(r#"{"op":"square","n":5}"#);
        assert!(json.is_json);
        assert_eq!(json.submit.payload, r#"{"n":5}"#);
    }

    #[test]
    fn leaving_in_any_case_and_language() {
        for line in ["exit", "QUIT", " Salir "] {
            assert!(matches!(read(line, Lang::En), Typed::Leave), "{line}");
        }
        assert!(matches!(read("", Lang::En), Typed::Nothing));
        assert!(matches!(read("  & ", Lang::En), Typed::Nothing));
        assert!(matches!(read("ayuda", Lang::Es), Typed::Line(_)));
        assert!(matches!(
            read(r#"{"cmd":"ping"}"#, Lang::Es),
            Typed::Line(_)
        ));
        assert!(matches!(read(r#"{"cmd":"#, Lang::Es), Typed::Wrong(_)));
        assert!(matches!(read("¿qué?", Lang::Es), Typed::Wrong(_)));
    }
}
