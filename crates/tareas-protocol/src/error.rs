//! The error object, the same on every face.

use crate::code::{Code, exit};
use crate::id::{TaskIdBytes, format_id, parse_id};
use crate::json::{
    Member, Object, Scanner, ValueKind, append_on_one_line, append_string, append_u64, is_control,
};
use crate::lang::Lang;
use std::borrow::Cow;
use std::fmt;

/// What went wrong, for a program to branch on and a person to read.
///
/// It holds the number rather than the [`Code`], so that an older client can carry a code that
/// it does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorObject {
    /// The number of the code, 1204 for `TAR-1204`.
    pub number: u16,
    /// The name of the code, in snake case.
    pub name: Cow<'static, str>,
    /// One sentence.
    pub message: Cow<'static, str>,
    /// What to do about it; may be empty.
    pub hint: Cow<'static, str>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// Not before so long from now.
    pub retry_after_ms: Option<u64>,
    /// JSON pointer to the member of the request that it is about.
    pub pointer: Option<String>,
    /// The task that it is about.
    pub task_id: Option<TaskIdBytes>,
    /// The JSON text of the request's `ref`.
    pub reference: Option<String>,
}

impl ErrorObject {
    /// The error of a code, with the code's own message and hint.
    #[must_use]
    pub fn new(code: Code, lang: Lang) -> Self {
        let prose = code.prose(lang);
        Self {
            number: code.number(),
            name: Cow::Borrowed(code.name()),
            message: Cow::Borrowed(prose.message),
            hint: Cow::Borrowed(prose.hint),
            retryable: code.is_retryable(),
            retry_after_ms: None,
            pointer: None,
            task_id: None,
            reference: None,
        }
    }

    /// With a message that knows more.
    #[must_use]
    pub fn message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// With a hint that knows more.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// About this task.
    #[must_use]
    pub fn about(mut self, task_id: TaskIdBytes) -> Self {
        self.task_id = Some(task_id);
        self
    }

    /// Not to be tried before so long from now.
    #[must_use]
    pub fn retry_after(mut self, retry_after_ms: u64) -> Self {
        self.retry_after_ms = Some(retry_after_ms);
        self
    }

    /// The code, if this version knows it.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        Code::from_number(self.number)
    }

    /// The exit code for this error; for a code of a newer version, that of its range.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let by_range = match self.number / 100 {
            10 | 14 => exit::UNREACHABLE,
            11 => exit::ACCESS,
            12 | 20 => exit::REFUSED,
            13 => exit::TRY_LATER,
            15 => exit::CONFIGURATION,
            30 => exit::TASK_FAILED,
            _ => exit::BUG,
        };
        self.code().map_or(by_range, Code::exit_code)
    }

    /// Appends the object that stands under `error`: `{"code":…,"name":…,…}`.
    pub fn append_object(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"code\":\"TAR-");
        append_digits(out, self.number);
        out.extend_from_slice(b"\",\"name\":");
        append_string(out, &self.name);
        out.extend_from_slice(b",\"message\":");
        append_string(out, &self.message);
        out.extend_from_slice(b",\"hint\":");
        append_string(out, &self.hint);
        let retryable = if self.retryable { "true" } else { "false" };
        out.extend_from_slice(b",\"retryable\":");
        out.extend_from_slice(retryable.as_bytes());
        if let Some(delay) = self.retry_after_ms {
            out.extend_from_slice(b",\"retry_after_ms\":");
            append_u64(out, delay);
        }
        if let Some(pointer) = &self.pointer {
            out.extend_from_slice(b",\"pointer\":");
            append_string(out, pointer);
        }
        out.push(b'}');
    }

    /// Appends the whole answer: `{"error":{…}}`, with `task_id` and `ref` where they apply.
    pub fn append_answer(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"error\":");
        self.append_object(out);
        if let Some(id) = &self.task_id {
            out.extend_from_slice(b",\"task_id\":\"");
            out.extend_from_slice(&format_id(id));
            out.push(b'"');
        }
        if let Some(reference) = &self.reference {
            out.extend_from_slice(b",\"ref\":");
            append_on_one_line(out, reference.as_bytes());
        }
        out.push(b'}');
    }

    /// Appends the answer to a text line: `error: MESSAGE [TAR-nnnn] HINT`, on one line whatever
    /// the message holds.
    pub fn append_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"error: ");
        append_plain(out, &self.message);
        out.extend_from_slice(b" [TAR-");
        append_digits(out, self.number);
        out.push(b']');
        if !self.hint.is_empty() {
            out.push(b' ');
            append_plain(out, &self.hint);
        }
    }

    /// Reads the object that stands under `error`. Members it does not know are ignored; `None`
    /// if there is no code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut scanner = Scanner::new();
        let object = scanner.object(text).ok()?;
        let mut error = Self {
            number: 0,
            name: Cow::Borrowed(""),
            message: Cow::Borrowed(""),
            hint: Cow::Borrowed(""),
            retryable: false,
            retry_after_ms: None,
            pointer: None,
            task_id: None,
            reference: None,
        };
        for member in object.members() {
            error.read(&object, member);
        }
        (error.number != 0).then_some(error)
    }

    fn read(&mut self, object: &Object<'_, '_>, member: &Member) {
        let text = object.string(member).map(Cow::into_owned);
        match (&*object.key(member), text) {
            ("code", Some(code)) => self.number = number(&code).unwrap_or(0),
            ("name", Some(name)) => self.name = name.into(),
            ("message", Some(message)) => self.message = message.into(),
            ("hint", Some(hint)) => self.hint = hint.into(),
            ("pointer", Some(pointer)) => self.pointer = Some(pointer),
            ("task_id", Some(id)) => self.task_id = parse_id(&id),
            ("retryable", None) => self.retryable = member.kind == ValueKind::True,
            ("retry_after_ms", None) => self.retry_after_ms = object.value(member).parse().ok(),
            _ => {}
        }
    }
}

fn number(code: &str) -> Option<u16> {
    code.strip_prefix("TAR-")?.parse().ok()
}

fn append_digits(out: &mut Vec<u8>, number: u16) {
    for place in [1_000, 100, 10, 1] {
        out.push(b'0' + (number / place % 10) as u8);
    }
}

/// Appends text for a person: what would break the line or steer a terminal becomes a blank.
fn append_plain(out: &mut Vec<u8>, text: &str) {
    let mut buffer = [0; 4];
    for character in text.chars() {
        let shown = if is_control(character) {
            ' '
        } else {
            character
        };
        out.extend_from_slice(shown.encode_utf8(&mut buffer).as_bytes());
    }
}

impl fmt::Display for ErrorObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [TAR-{:04}]", self.message, self.number)
    }
}

impl std::error::Error for ErrorObject {}
