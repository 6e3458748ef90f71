//! Telling how a task ended: the result on stdout, a failure on stderr.

use tareas_client::{End, TaskId};
use tareas_protocol::code::exit;
use tareas_protocol::response::{self, ResultText};
use tareas_protocol::{Code, ErrorObject, Lang};

use crate::output::{Failure, Format, Voice};

/// Tells an end in the shape that was asked for; the exit code.
pub(super) fn tell(voice: &Voice, id: TaskId, end: &End) -> u8 {
    match voice.format {
        Format::Json | Format::Jsonl => voice.result(&json(id, end)),
        Format::Id => voice.result(&id.to_string()),
        Format::Table => match end {
            End::Succeeded(_) => voice.result(&plain(id, end, voice.lang)),
            _ => failure(end, voice.lang).tell(voice),
        },
    }
    exit_code(end, voice.lang)
}

/// What a command that waited for this end exits with.
pub(super) fn exit_code(end: &End, lang: Lang) -> u8 {
    match end {
        End::Succeeded(_) => exit::OK,
        End::Failed { .. } => exit::TASK_FAILED,
        End::Cancelled { .. } => failure(end, lang).exit_code(),
    }
}

/// The end as one line of text, as the wire would say it.
pub(super) fn plain(id: TaskId, end: &End, lang: Lang) -> String {
    written(end, |end| {
        let mut out = Vec::new();
        response::append_end_text(&mut out, end, id.as_bytes(), lang);
        out
    })
}

/// The end as one JSON text, as the wire would say it.
pub(super) fn json(id: TaskId, end: &End) -> String {
    written(end, |end| {
        let mut out = Vec::new();
        end.append_to(&mut out, id.as_bytes(), None);
        out
    })
}

fn written(end: &End, write: impl FnOnce(&response::End<'_>) -> Vec<u8>) -> String {
    let out = write(&match end {
        End::Succeeded(json) => response::End::Succeeded {
            result: ResultText::Json(json.as_bytes()),
        },
        End::Failed { reason, error } => response::End::Failed { reason, error },
        End::Cancelled { reason } => response::End::Cancelled { reason },
    });
    String::from_utf8_lossy(&out).into_owned()
}

fn failure(end: &End, lang: Lang) -> Failure {
    match end {
        End::Failed { error, .. } => {
            Failure::refused((**error).clone()).with_exit(exit::TASK_FAILED)
        }
        End::Cancelled { reason } if reason == "expired" => {
            Failure::refused(ErrorObject::new(Code::Expired, lang))
        }
        _ => Failure::refused(ErrorObject::new(Code::Cancelled, lang)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_shown_as_on_the_wire() {
        let id = TaskId::new();
        let shown = |json: &str| plain(id, &End::Succeeded(json.into()), Lang::En);
        assert_eq!(shown("4"), "4");
        assert_eq!(shown("\"hola\""), "hola");
        assert_eq!(shown("{\"a\":1}"), "{\"a\":1}");
        let huge = "9".repeat(400);
        assert_eq!(shown(&huge), huge, "numbers are never read");
    }

    #[test]
    fn json_is_the_line_of_the_wire() {
        let id = TaskId::new();
        let text = json(id, &End::Succeeded("25".into()));
        assert_eq!(
            text,
            format!(r#"{{"task_id":"{id}","status":"succeeded","result":25}}"#)
        );
    }
}
