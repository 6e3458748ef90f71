//! How a task ended, as it is told.

use bytes::Bytes;
use tareas_core::{Body, Reason, State, Task};
use tareas_engine::{Engine, Refusal};
use tareas_protocol::limits::RESULT_INLINE_BYTES_MAX;
use tareas_protocol::response::{BlobRef, End, ResultText, append_end_text};
use tareas_protocol::{ErrorObject, Lang, TaskIdBytes};

use super::{error_of, id_of};

/// What a result is on a line.
#[derive(Clone, Debug)]
pub enum Shown<'a> {
    /// Its JSON text, as the record holds it.
    Text(&'a [u8]),
    /// Its JSON text, read for the occasion.
    Read(Bytes),
    /// Only how long it is and its hash.
    Reference {
        /// Its length in bytes.
        bytes: u64,
        /// Its SHA-256, in hexadecimal.
        sha256: String,
    },
    /// It is in the blob store and short enough to travel: read it first.
    Elsewhere,
}

impl<'a> Shown<'a> {
    /// A body as far as the record itself can show it.
    #[inline]
    pub fn of(body: &'a Body) -> Self {
        match body {
            Body::Inline(text) => Self::Text(text),
            Body::Blob(blob) if blob.bytes > RESULT_INLINE_BYTES_MAX as u64 => Self::Reference {
                bytes: blob.bytes,
                sha256: hex(&blob.sha256),
            },
            Body::Blob(_) => Self::Elsewhere,
        }
    }

    pub(super) fn result_text(&self) -> ResultText<'_> {
        match self {
            Self::Text(text) => ResultText::Json(text),
            Self::Read(text) => ResultText::Json(text),
            Self::Reference { bytes, sha256 } => ResultText::Blob(BlobRef {
                bytes: *bytes,
                sha256,
            }),
            Self::Elsewhere => ResultText::Json(b"null"),
        }
    }
}

impl Shown<'static> {
    /// A body, read from the blob store when it is there and short enough to travel.
    ///
    /// # Errors
    /// When the blob store cannot be read.
    pub async fn read(engine: &Engine, body: &Body) -> Result<Self, Refusal> {
        match Shown::of(body) {
            Shown::Reference { bytes, sha256 } => Ok(Self::Reference { bytes, sha256 }),
            _ => Ok(Self::Read(engine.body_bytes(body).await?)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The end of a task, ready to be written; see [`TaskEnd::of`].
#[derive(Debug)]
pub struct TaskEnd<'a> {
    id: TaskIdBytes,
    result: Option<Shown<'a>>,
    reason: &'static str,
    /// Boxed, since most tasks succeed.
    error: Option<Box<ErrorObject>>,
}

impl<'a> TaskEnd<'a> {
    /// The end of a task, with what the record shows of its result; `None` when it has not
    /// ended, or its result is [`Elsewhere`](Shown::Elsewhere).
    #[inline]
    pub fn of(task: &'a Task, lang: Lang) -> Option<Self> {
        match task.result.as_ref().map(Shown::of) {
            Some(Shown::Elsewhere) => None,
            result => Self::with(task, result, lang),
        }
    }

    /// The end of a task, with its result read where it is; `None` when it has not ended.
    ///
    /// # Errors
    /// When the blob store cannot be read.
    pub async fn read(
        engine: &Engine,
        task: &'a Task,
        lang: Lang,
    ) -> Result<Option<Self>, Refusal> {
        let result = match &task.result {
            Some(result) => Some(Shown::read(engine, result).await?),
            None => None,
        };
        Ok(Self::with(task, result, lang))
    }

    #[inline]
    fn with(task: &'a Task, result: Option<Shown<'a>>, lang: Lang) -> Option<Self> {
        let (result, error) = match task.state {
            State::Succeeded => (Some(result.unwrap_or(Shown::Text(b"null"))), None),
            State::Failed(_) => (None, error_of(task, lang).map(Box::new)),
            State::Cancelled(_) => (None, None),
            _ => return None,
        };
        let reason = task.reason().map_or("", Reason::name);
        Some(Self {
            id: id_of(task),
            result,
            reason,
            error,
        })
    }

    /// Appends it as JSON.
    #[inline]
    pub fn append_json(&self, out: &mut Vec<u8>, reference: Option<&str>) {
        self.wire().append_to(out, &self.id, reference);
    }

    /// Appends it as one line of text.
    pub fn append_text(&self, out: &mut Vec<u8>, lang: Lang) {
        append_end_text(out, &self.wire(), &self.id, lang);
    }

    #[inline]
    fn wire(&self) -> End<'_> {
        match (&self.result, &self.error) {
            (Some(result), _) => End::Succeeded {
                result: result.result_text(),
            },
            (None, Some(error)) => End::Failed {
                reason: self.reason,
                error,
            },
            (None, None) => End::Cancelled {
                reason: self.reason,
            },
        }
    }
}
