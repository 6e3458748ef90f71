//! Files that an attempt leaves beside its result.

use std::ffi::OsStr;
use std::path::Path;

use bytes::Bytes;
use smol_str::SmolStr;

use crate::HandlerError;

/// Most files of one attempt.
pub const ARTIFACTS_MAX: usize = 64;
/// Most bytes of all files of one attempt together.
pub const ARTIFACTS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Longest name of a file.
pub const ARTIFACT_NAME_BYTES_MAX: usize = 255;

/// What a file is when its name does not tell.
const UNKNOWN: &str = "application/octet-stream";
/// What is known by the end of a name.
const TYPES: [(&str, &str); 20] = [
    ("avif", "image/avif"),
    ("csv", "text/csv; charset=utf-8"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("html", "text/html; charset=utf-8"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("log", "text/plain; charset=utf-8"),
    ("md", "text/markdown; charset=utf-8"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("ndjson", "application/x-ndjson"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("webp", "image/webp"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

/// A file that goes with the result of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its name, without any folder.
    pub name: SmolStr,
    /// What it holds, as a media type.
    pub media_type: SmolStr,
    /// All of it.
    pub bytes: Bytes,
}

impl Artifact {
    /// A file of this name; what it holds is told by the end of the name.
    ///
    /// # Errors
    /// Rejected when that cannot be the name of a file.
    pub fn new(name: &str, bytes: impl Into<Bytes>) -> Result<Self, HandlerError> {
        let is_fine = !matches!(name, "" | "." | "..")
            && name.len() <= ARTIFACT_NAME_BYTES_MAX
            && !name
                .chars()
                .any(|c| c.is_control() || matches!(c, '/' | '\\'));
        if !is_fine {
            let shown: String = name.chars().take(64).collect();
            return Err(unusable(format!("no file can be kept as {shown:?}")));
        }
        Ok(Self {
            name: SmolStr::new(name),
            media_type: SmolStr::new_static(type_of(name)),
            bytes: bytes.into(),
        })
    }
}

fn type_of(name: &str) -> &'static str {
    let extension = Path::new(name).extension().and_then(OsStr::to_str);
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    let known = TYPES.iter().find(|(end, _)| *end == extension);
    known.map_or(UNKNOWN, |(_, media_type)| media_type)
}

/// Adds a file to those of an attempt; one of the same name takes its place.
pub(crate) fn add(to: &mut Vec<Artifact>, artifact: Artifact) -> Result<(), HandlerError> {
    to.retain(|other| other.name != artifact.name);
    let bytes: usize = to.iter().map(|other| other.bytes.len()).sum();
    if to.len() >= ARTIFACTS_MAX {
        return Err(unusable(format!(
            "an attempt keeps {ARTIFACTS_MAX} files at most"
        )));
    }
    if bytes + artifact.bytes.len() > ARTIFACTS_BYTES_MAX {
        let most = ARTIFACTS_BYTES_MAX / 1024 / 1024;
        return Err(unusable(format!(
            "the files of an attempt have {most} MiB at most"
        )));
    }
    to.push(artifact);
    Ok(())
}

pub(crate) fn unusable(message: String) -> HandlerError {
    HandlerError::rejected(message).named("invalid_artifact")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_a_path_and_tells_the_type() {
        for name in ["", ".", "..", "a/b", "a\\b", "a\nb", &"x".repeat(256)] {
            assert!(Artifact::new(name, "").is_err(), "{name}");
        }
        for (name, wanted) in [
            ("a.PNG", "image/png"),
            ("notes", UNKNOWN),
            ("ñ.tar.gz", "application/gzip"),
        ] {
            assert_eq!(Artifact::new(name, "").unwrap().media_type, wanted);
        }
    }

    #[test]
    fn count_and_size_are_bounded_and_names_are_unique() {
        let file = |name: &str, size| Artifact::new(name, vec![0; size]).unwrap();
        let mut files = Vec::new();
        add(&mut files, file("a", 1)).unwrap();
        add(&mut files, file("a", 2)).unwrap();
        assert_eq!((files.len(), files[0].bytes.len()), (1, 2));
        assert!(add(&mut files, file("b", ARTIFACTS_BYTES_MAX)).is_err());
        for number in 1..ARTIFACTS_MAX {
            add(&mut files, file(&number.to_string(), 0)).unwrap();
        }
        assert!(add(&mut files, file("one more", 0)).is_err());
    }
}
