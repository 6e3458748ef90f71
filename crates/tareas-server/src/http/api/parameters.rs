//! Parameters and headers that several operations have.

use super::operation::{Parameter, Within};

/// A header of an answer: its name and meaning.
pub(super) type Header = (&'static str, [&'static str; 2]);

/// The form of any text.
pub(super) const TEXT: &str = r#"{"type":"string"}"#;

/// When the caller wants to wait for an end.
pub(super) const WAIT: Parameter = Parameter {
    name: "wait",
    within: Within::Query,
    about: [
        "Answer when it has ended, or after so many seconds",
        "Responder cuando termine, o pasados tantos segundos",
    ],
    schema: r#"{"type":"integer","minimum":0,"maximum":60}"#,
    example: "10",
};

/// The same as a header.
pub(super) const PREFER: Parameter = Parameter {
    name: "Prefer",
    within: Within::Header,
    about: [
        "`wait=N`: answer when it has ended, or after N seconds, 60 at most (RFC 7240)",
        "`wait=N`: responder cuando termine, o pasados N segundos, 60 como mucho (RFC 7240)",
    ],
    schema: r#"{"type":"string"}"#,
    example: "wait=10",
};

/// A parameter behind the `?`.
pub(super) const fn query(
    name: &'static str,
    about: [&'static str; 2],
    schema: &'static str,
    example: &'static str,
) -> Parameter {
    let within = Within::Query;
    Parameter {
        name,
        within,
        about,
        schema,
        example,
    }
}

/// Which wait was heeded.
pub(super) const APPLIED: Header = (
    "Preference-Applied",
    ["The wait that was heeded", "La espera que se atendió"],
);
/// The version of a task.
pub(super) const ETAG: Header = (
    "ETag",
    ["The version of the task", "La versión de la tarea"],
);
