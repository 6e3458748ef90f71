//! A look at a bucket for whoever sets a system up: an object is made, read, and removed.

use std::hash::{BuildHasher, Hasher, RandomState};

use bytes::Bytes;
use object_store::ObjectStoreExt;

use super::{S3Blobs, S3Config, S3Keys};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The bucket, and what its objects begin with.
    pub bucket: String,
    /// Whether the store heeds the condition that an object must not be there yet.
    pub creates_exclusively: bool,
}

/// What did not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What was tried: `put`, `get` or `delete`.
    pub step: &'static str,
    /// What was said.
    pub why: String,
}

/// Tries a bucket out.
///
/// # Errors
/// The first step that did not work.
pub async fn survey(config: &S3Config, keys: &S3Keys) -> Result<Survey, Fault> {
    let opened = S3Blobs::open(config.clone(), keys).await;
    let blobs = opened.map_err(|error| fault("put", &error))?;
    // A hasher without input is as good as a die.
    let chance = RandomState::new().build_hasher().finish();
    let path = blobs.root.clone().join(format!("doctor-{chance:016x}"));
    let bytes = Bytes::from_static(b"doctor");
    let put = blobs.create(&path, bytes.clone()).await;
    put.map_err(|error| fault("put", &error))?;
    let read = blobs.read(&path).await;
    let deleted = blobs.store.delete(&path).await;
    match read {
        Ok(read) if read == bytes => {}
        Ok(_) => {
            return Err(fault(
                "get",
                &std::io::Error::other("other bytes came back"),
            ));
        }
        Err(error) => return Err(fault("get", &error)),
    }
    deleted.map_err(|error| fault("delete", &error))?;
    Ok(Survey {
        bucket: format!("{}/{}", config.bucket, config.prefix),
        creates_exclusively: blobs.creates_exclusively,
    })
}

/// The error with all that is behind it.
fn fault(step: &'static str, error: &dyn std::error::Error) -> Fault {
    let mut why = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !why.contains(&text) {
            why = format!("{why}: {text}");
        }
        cause = error.source();
    }
    Fault { step, why }
}
