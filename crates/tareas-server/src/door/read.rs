//! Letters as submissions: the body as on every face, and what AMQP says beside it.

use tareas_core::{Priority, Timestamp};
use tareas_engine::Submission;
use tareas_engine::ports::Letter;
use tareas_protocol::request::{Decoder, Expected, Fault, Refusal, is_name};
use tareas_protocol::{Code, ErrorObject, Lang};

use crate::intake;

/// Longest body, as on HTTP.
const LETTER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Reads letters, and keeps its memory between them.
#[derive(Debug, Default)]
pub(super) struct Reader(Decoder);

impl Reader {
    /// What a letter asks for, and whether its sender waits for the end.
    pub(super) fn submission(
        &mut self,
        letter: &Letter,
        now: Timestamp,
        lang: Lang,
    ) -> Result<(Submission, bool), Box<ErrorObject>> {
        if letter.body.len() > LETTER_BYTES_MAX {
            return Err(Box::new(ErrorObject::new(Code::TooLarge, lang)));
        }
        let read = self.read(letter, now);
        read.map_err(|refusal| Box::new(refusal.to_error(lang)))
    }

    fn read(
        &mut self,
        letter: &Letter,
        now: Timestamp,
    ) -> Result<(Submission, bool), Box<Refusal>> {
        let decoded = self.0.submission(&letter.body)?;
        let kind = intake::kind(&decoded.kind)?;
        let payload = decoded.payload.to_bytes();
        let mut submission = intake::submission(&decoded, kind, payload, None)?;
        let says = decoded.options.as_deref();
        if let Some(level) = letter.priority
            && says.is_none_or(|options| options.priority.is_none())
        {
            let most = Priority::HIGHEST.level();
            submission.priority = Priority::new(level.min(most)).unwrap_or_default();
        }
        if let Some(within) = letter.expires_in
            && says.is_none_or(|options| options.expires_at_us.is_none())
        {
            submission.options.get_or_insert_default().expires_at = Some(now + within);
        }
        if let Some(identity) = &letter.identity
            && says.is_none_or(|options| options.idempotency_key.is_none())
        {
            if !is_name(identity) {
                let (member, expected) = ("message_id", Expected::Name);
                return Err(Refusal::of(Fault::WrongValue { member, expected }));
            }
            let options = submission.options.get_or_insert_default();
            options.idempotency_key = Some(identity.as_str().into());
        }
        Ok((submission, decoded.wait))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use tareas_engine::ports::LetterReceipt;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn letter(body: &'static str) -> Letter {
        Letter {
            receipt: LetterReceipt { life: 1, tag: 1 },
            body: Bytes::from_static(body.as_bytes()),
            identity: Some("m1".to_owned()),
            priority: Some(200),
            expires_in: Some(Duration::from_secs(9)),
            reply_to: None,
        }
    }

    fn read(letter: &Letter) -> Result<(Submission, bool), Box<ErrorObject>> {
        Reader::default().submission(letter, NOW, Lang::En)
    }

    #[test]
    fn what_stands_beside_the_body_counts() {
        let (submission, wait) = read(&letter(r#"{"op":"square","n":5}"#)).unwrap();
        let options = submission.options.unwrap();
        assert_eq!(options.idempotency_key.as_deref(), Some("m1"));
        assert_eq!(options.expires_at, Some(NOW + Duration::from_secs(9)));
        assert_eq!(submission.priority, Priority::HIGHEST);
        assert!(wait);
    }

    #[test]
    fn the_body_counts_for_more() {
        let body = r#"{"kind":"square","payload":5,"idempotency_key":"b","priority":1,
            "expires_at":1800000001000,"wait":false}"#;
        let (submission, wait) = read(&letter(body)).unwrap();
        let options = submission.options.unwrap();
        assert_eq!(options.idempotency_key.as_deref(), Some("b"));
        assert_eq!(options.expires_at, Some(NOW + Duration::from_secs(1)));
        assert_eq!(submission.priority.level(), 1);
        assert!(!wait);
    }

    #[test]
    fn what_is_no_submission_is_refused() {
        let mut nameless = letter(r#"{"op":"square","n":5}"#);
        nameless.identity = Some("<a@b>".to_owned());
        assert!(read(&nameless).is_err());
        for body in [
            "",
            "square 5",
            "[]",
            r#"{"cmd":"ping"}"#,
            r#"{"kind":"a","q":1}"#,
        ] {
            assert!(read(&letter(body)).is_err(), "{body}");
        }
        let mut large = letter("");
        large.body = Bytes::from(vec![b' '; LETTER_BYTES_MAX + 1]);
        assert_eq!(read(&large).unwrap_err().code(), Some(Code::TooLarge));
    }
}
