//! Bodies that are too large for a record.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use tareas_core::{Blob, Body};

use crate::ports::{BlobKey, PortError};
use crate::{Engine, Refusal};

impl Engine {
    /// Stores bytes and gives the body that refers to them. Durable on return, so that the
    /// record that refers to them may be written.
    pub(crate) async fn put_blob(&self, key: BlobKey, bytes: Bytes) -> Result<Body, Refusal> {
        let blob = Blob {
            key: SmolStr::new(key.as_str()),
            bytes: bytes.len() as u64,
            sha256: Sha256::digest(&bytes).into(),
        };
        self.ports.blobs.put(&key, bytes).await?;
        Ok(Body::Blob(Box::new(blob)))
    }

    /// The JSON text of a payload or a result, wherever it is. Blobs are checked against their
    /// hash.
    ///
    /// # Errors
    /// `Unavailable` when the blob store cannot be read or holds something else.
    pub async fn body_bytes(&self, body: &Body) -> Result<Bytes, Refusal> {
        let (key, sha256) = match body {
            Body::Inline(text) => return Ok(text.clone()),
            Body::Blob(blob) => (&blob.key, &blob.sha256),
        };
        let key = BlobKey::parse(key).ok_or_else(|| damaged(key, "a key of another system"))?;
        let bytes = self.ports.blobs.get(&key).await?;
        if <[u8; 32]>::from(Sha256::digest(&bytes)) != *sha256 {
            return Err(damaged(key.as_str(), "its hash is not the recorded one").into());
        }
        Ok(bytes)
    }
}

fn damaged(key: &str, why: &'static str) -> PortError {
    PortError::Corrupt {
        what: format!("blob {key}"),
        source: why.into(),
    }
}
