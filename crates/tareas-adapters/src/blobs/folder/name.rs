//! Keys as file names, and back.
//!
//! `t/<id>/in` is `<id>.in`, `t/<id>/out/3-0000abcd` is `<id>.out.3-0000abcd`, files are the same
//! with `files`, in the folder named by the last two digits of the id. Nothing that a client wrote is in a path.

use std::path::{Path, PathBuf};

use tareas_engine::ports::{BlobKey, PortError};

/// Where the blob of this key is.
pub(super) fn path_of(root: &Path, key: &BlobKey) -> Result<PathBuf, PortError> {
    // A key always names a task; one that did not would have no file.
    let not_found = || PortError::NotFound {
        what: format!("blob {key}"),
    };
    let task = key.task().ok_or_else(not_found)?.to_string();
    let mut parts = key.as_str().split('/').skip(2);
    let name = match (parts.next(), parts.next()) {
        (Some("in"), None) => format!("{task}.in"),
        (Some(folder @ ("out" | "files")), Some(name)) => format!("{task}.{folder}.{name}"),
        _ => return Err(not_found()),
    };
    let shard = shard_of(key).ok_or_else(not_found)?;
    Ok(root.join(shard).join(name))
}

/// The folder that the blob of this key is in.
pub(super) fn shard_of(key: &BlobKey) -> Option<String> {
    let task = key.task()?.to_string();
    task.get(task.len() - 2..).map(str::to_owned)
}

/// The key of a file of this name; `None` for files that are no blobs.
pub(super) fn key_of(name: &str) -> Option<BlobKey> {
    let (task, rest) = name.split_once('.')?;
    let key = match rest.split_once('.') {
        None => format!("t/{task}/{rest}"),
        Some((out, result)) => format!("t/{task}/{out}/{result}"),
    };
    BlobKey::parse(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_key() {
        let id = "0190c1f0-0000-7000-8000-0000000000ab".parse().unwrap();
        let mut keys = vec![BlobKey::payload(id), BlobKey::result(id, 3, 0xABCD)];
        keys.extend(BlobKey::result_with_files(id, 3, 0xABCD, 1).with_files());
        for key in keys {
            let path = path_of(Path::new("/blobs"), &key).unwrap();
            assert!(path.starts_with("/blobs/ab"), "{path:?}");
            let name = path.file_name().unwrap().to_str().unwrap();
            assert_eq!(key_of(name), Some(key));
        }
    }

    #[test]
    fn other_files_are_no_blobs() {
        for name in [
            "",
            ".new-1-2",
            "README",
            "x.in",
            "0190c1f0-0000-7000-8000-0000000000ab.zip",
        ] {
            assert_eq!(key_of(name), None, "{name}");
        }
    }
}
