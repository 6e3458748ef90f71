//! What workers send in pieces because it is too long for one line: results, and files beside them.
//!
//! Pieces are kept here until their attempt has ended, so nothing of an attempt that is not
//! recorded gets any further. All pieces of a connection together have a bound.

use std::collections::HashMap;

use bytes::Bytes;
use tareas_engine::NewArtifact;
use tareas_protocol::TaskIdBytes;
use tareas_protocol::base64;
use tareas_protocol::json::Scanner;
use tareas_protocol::limits::{ARTIFACTS_MAX, HOLDING_MAX, OUTPUT_BYTES_MAX};

/// What a file is when its worker does not tell.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// An attempt: the task and its number.
pub(super) type Key = (TaskIdBytes, u64);

/// The pieces of one connection.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    attempts: HashMap<Key, Gathered>,
    bytes: usize,
}

/// What came of one attempt.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    result: Option<Vec<u8>>,
    files: Vec<File>,
    /// Why it cannot end well any more.
    pub(super) flaw: Option<Flaw>,
}

#[derive(Debug)]
struct File {
    name: String,
    media_type: String,
    bytes: Vec<u8>,
}

/// What is wrong with a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    TooLarge,
    TooMany,
    BadName,
    NotBase64,
}

impl Flaw {
    /// One sentence, for the error of the attempt.
    pub(super) fn sentence(self) -> String {
        match self {
            Self::TooLarge => format!(
                "results and files that are sent in pieces have {} MiB at most together",
                OUTPUT_BYTES_MAX / 1024 / 1024
            ),
            Self::TooMany => format!("an attempt keeps {ARTIFACTS_MAX} files at most"),
            Self::BadName => "a file has a name that none can have".to_owned(),
            Self::NotBase64 => "a piece of a file is not Base64".to_owned(),
        }
    }
}

impl Pieces {
    /// The next piece of a result.
    pub(super) fn add_result(&mut self, key: Key, chunk: &str) -> Result<(), Flaw> {
        self.grow(key, chunk.len())?;
        let gathered = self.attempts.entry(key).or_default();
        let result = gathered.result.get_or_insert_default();
        result.extend_from_slice(chunk.as_bytes());
        Ok(())
    }

    /// The next piece of a file.
    pub(super) fn add_file(
        &mut self,
        key: Key,
        name: &str,
        media_type: Option<&str>,
        chunk: &str,
    ) -> Result<(), Flaw> {
        if !is_file_name(name) {
            return self.spoil(key, Flaw::BadName);
        }
        let Some(bytes) = base64::decode(chunk) else {
            return self.spoil(key, Flaw::NotBase64);
        };
        self.grow(key, bytes.len())?;
        let gathered = self.attempts.entry(key).or_default();
        if let Some(file) = gathered.files.iter_mut().find(|file| file.name == name) {
            file.bytes.extend_from_slice(&bytes);
            return Ok(());
        }
        if gathered.files.len() >= ARTIFACTS_MAX {
            return self.spoil(key, Flaw::TooMany);
        }
        gathered.files.push(File {
            name: name.to_owned(),
            media_type: media_type.unwrap_or(UNKNOWN_TYPE).to_owned(),
            bytes,
        });
        Ok(())
    }

    /// Everything that came of an attempt, which is then forgotten.
    pub(super) fn take(&mut self, key: &Key) -> Gathered {
        let gathered = self.attempts.remove(key).unwrap_or_default();
        self.bytes -= gathered.bytes();
        gathered
    }

    fn grow(&mut self, key: Key, by: usize) -> Result<(), Flaw> {
        let is_one_too_many =
            self.attempts.len() >= HOLDING_MAX && !self.attempts.contains_key(&key);
        if is_one_too_many {
            return Err(Flaw::TooMany);
        }
        if self.bytes + by > OUTPUT_BYTES_MAX {
            return self.spoil(key, Flaw::TooLarge);
        }
        self.bytes += by;
        Ok(())
    }

    /// Drops what came of the attempt: without this piece the rest is of no use.
    fn spoil(&mut self, key: Key, flaw: Flaw) -> Result<(), Flaw> {
        let dropped = self.take(&key);
        let flaw = dropped.flaw.unwrap_or(flaw);
        // No worker holds more attempts than that.
        if self.attempts.len() < HOLDING_MAX {
            self.attempts.entry(key).or_default().flaw = Some(flaw);
        }
        Err(flaw)
    }
}

impl Gathered {
    fn bytes(&self) -> usize {
        let files = self.files.iter().map(|file| file.bytes.len());
        self.result.as_ref().map_or(0, Vec::len) + files.sum::<usize>()
    }

    /// The result that was sent in pieces; `null` when nothing was sent, `None` when it is no JSON.
    pub(super) fn result(&mut self) -> Option<Bytes> {
        let Some(text) = self.result.take() else {
            return Some(Bytes::from_static(b"null"));
        };
        let checked = std::str::from_utf8(&text).ok()?;
        Scanner::check(checked).ok()?;
        Some(text.into())
    }

    /// The files.
    pub(super) fn files(self) -> Vec<NewArtifact> {
        let files = self.files.into_iter().map(|file| NewArtifact {
            name: file.name,
            media_type: file.media_type,
            bytes: file.bytes.into(),
        });
        files.collect()
    }
}

/// Whether a file can be kept under this name: one part of a path. Its length was looked at.
fn is_file_name(name: &str) -> bool {
    let is_strange = |c: char| c.is_control() || matches!(c, '/' | '\\');
    !matches!(name, "" | "." | "..") && !name.chars().any(is_strange)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = ([7; 16], 1);

    #[test]
    fn files_and_a_result_come_together_again() {
        let mut pieces = Pieces::default();
        pieces.add_file(KEY, "a.txt", None, "Zm8=").unwrap();
        pieces.add_result(KEY, "[1,").unwrap();
        pieces.add_file(KEY, "a.txt", None, "bw==").unwrap();
        pieces.add_result(KEY, "2]").unwrap();
        let mut gathered = pieces.take(&KEY);
        assert_eq!(gathered.result().unwrap(), "[1,2]");
        let files = gathered.files();
        assert_eq!((&*files[0].bytes, files.len()), (b"foo".as_slice(), 1));
        assert_eq!(pieces.bytes, 0);
    }

    #[test]
    fn what_cannot_be_kept_spoils_its_attempt_and_no_other() {
        let other = ([8; 16], 1);
        let mut pieces = Pieces::default();
        pieces.add_result(other, "1").unwrap();
        for (name, chunk, flaw) in [
            ("../x", "", Flaw::BadName),
            ("", "", Flaw::BadName),
            ("x", "not base64", Flaw::NotBase64),
        ] {
            pieces.add_result(KEY, "1").unwrap();
            assert_eq!(pieces.add_file(KEY, name, None, chunk), Err(flaw));
            assert_eq!(pieces.take(&KEY).flaw, Some(flaw));
        }
        let half = "x".repeat(OUTPUT_BYTES_MAX / 2);
        pieces.add_result(KEY, &half).unwrap();
        assert_eq!(pieces.add_result(KEY, &half), Err(Flaw::TooLarge));
        assert_eq!(pieces.bytes, 1);
        for number in 0..ARTIFACTS_MAX {
            let name = number.to_string();
            pieces.add_file(other, &name, None, "").unwrap();
        }
        let more = pieces.add_file(other, "one more", None, "");
        assert_eq!(more, Err(Flaw::TooMany));
    }
}
