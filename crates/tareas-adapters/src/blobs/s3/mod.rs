//! Blobs as objects of a bucket of S3, or of anything that speaks it.
//!
//! An object is created under the condition that there is none of its name, so that bytes once
//! stored are never replaced. Stores that ignore the condition are found out at the start, by
//! trying: there we look before we write, which leaves a gap that the chance in the keys closes.
//! Requests have time-outs and are tried again for seconds; then the store is unavailable.

mod config;
mod survey;

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    RetryConfig,
};
use tareas_engine::ports::{BlobKey, Blobs, PortError};

pub use self::config::{InvalidUrl, S3Config, S3Keys};
pub use self::survey::{Fault, Survey, survey};

/// What errors call this adapter.
const ADAPTER: &str = "the blob store";
/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one request may take; the largest blob has to fit.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(300);
/// For so long a request is tried again.
const RETRY_TIMEOUT: Duration = Duration::from_secs(10);
/// So often at most.
const RETRIES_MAX: usize = 4;
/// Bounds of the wait before the first and before the last retry.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// A bucket, or the part of it under a prefix.
pub struct S3Blobs {
    store: AmazonS3,
    config: S3Config,
    root: Path,
    /// The store heeds the condition that an object must not be there.
    creates_exclusively: bool,
}

impl S3Blobs {
    /// Connects, and tries out whether the store creates exclusively.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be reached or does not let us write.
    pub async fn open(config: S3Config, keys: &S3Keys) -> Result<Self, PortError> {
        // The only choice in this build; when it is made already, it is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = client(&config, keys).map_err(|error| unavailable(error.into()))?;
        let mut blobs = Self {
            store,
            root: Path::from(config.prefix.as_str()),
            config,
            creates_exclusively: true,
        };
        blobs.creates_exclusively = blobs.probe().await?;
        if !blobs.creates_exclusively {
            tracing::warn!(
                bucket = %blobs.config.bucket,
                "the store ignores If-None-Match: equal names are only looked for, not excluded"
            );
        }
        Ok(blobs)
    }

    /// Creates one object twice: the second time must be refused.
    async fn probe(&self) -> Result<bool, PortError> {
        // A hasher without input is as good as a die.
        let chance = RandomState::new().build_hasher().finish();
        let path = self.root.clone().join(format!("probe-{chance:016x}"));
        let mut is_refused = false;
        for _ in 0..2 {
            match self.create(&path, Bytes::from_static(b"probe")).await {
                Ok(()) => {}
                Err(error) if is_taken(&error) => is_refused = true,
                // Stores that know the header and not what to do about it.
                Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => break,
                Err(error) => return Err(unavailable(error.into())),
            }
        }
        // What stays is a few bytes under a name that nobody looks for.
        let _ = self.store.delete(&path).await;
        Ok(is_refused)
    }

    async fn create(&self, path: &Path, bytes: Bytes) -> Result<(), Error> {
        let options = PutOptions::from(PutMode::Create);
        self.store
            .put_opts(path, bytes.into(), options)
            .await
            .map(drop)
    }

    async fn overwrite(&self, path: &Path, bytes: Bytes) -> Result<(), Error> {
        self.store.put(path, bytes.into()).await.map(drop)
    }

    /// Whether the object has these bytes; `None` when there is no object.
    async fn has(&self, path: &Path, bytes: &Bytes) -> Result<Option<bool>, Error> {
        let found = match self.store.head(path).await {
            Ok(found) if found.size == bytes.len() as u64 => self.read(path).await,
            Ok(_) => return Ok(Some(false)),
            Err(error) => Err(error),
        };
        match found {
            Ok(found) => Ok(Some(found == *bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn read(&self, path: &Path) -> Result<Bytes, Error> {
        self.store.get(path).await?.bytes().await
    }

    /// `t/<id>/in` and the like, below the prefix.
    fn path_of(&self, key: &BlobKey) -> Path {
        let parts = key.as_str().split('/');
        parts.fold(self.root.clone(), |path, part| path.join(part))
    }

    fn key_of(&self, path: &Path) -> Option<BlobKey> {
        let parts: Vec<_> = path.prefix_match(&self.root)?.collect();
        let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
        BlobKey::parse(&parts.join("/"))
    }
}

fn client(config: &S3Config, keys: &S3Keys) -> Result<AmazonS3, Error> {
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: BACKOFF.0,
            max_backoff: BACKOFF.1,
            base: 2.0,
        },
        max_retries: RETRIES_MAX,
        retry_timeout: RETRY_TIMEOUT,
    };
    let options = ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(REQUEST_TIMEOUT)
        .with_allow_http(true);
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&config.bucket)
        .with_region(&config.region)
        .with_access_key_id(&keys.id)
        .with_secret_access_key(&keys.secret)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_client_options(options)
        .with_retry(retry);
    if let Some(session) = &keys.session {
        builder = builder.with_token(session);
    }
    builder = match &config.endpoint {
        Some(endpoint) => builder.with_endpoint(endpoint),
        None => builder.with_virtual_hosted_style_request(true),
    };
    builder.build()
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, key: &BlobKey, bytes: Bytes) -> Result<(), PortError> {
        let path = self.path_of(key);
        let created = match self.creates_exclusively {
            true => self.create(&path, bytes.clone()).await,
            false => match self.has(&path, &bytes).await {
                Ok(None) => self.overwrite(&path, bytes.clone()).await,
                Ok(Some(true)) => return Ok(()),
                Ok(Some(false)) => return Err(conflict(key)),
                Err(error) => Err(error),
            },
        };
        match created {
            Ok(()) => Ok(()),
            // Perhaps by ourselves, when an earlier answer was lost.
            Err(error) if is_taken(&error) => match self.has(&path, &bytes).await {
                Ok(Some(true)) => Ok(()),
                Ok(Some(false)) => Err(conflict(key)),
                Ok(None) => Err(unavailable("it was removed meanwhile".into())),
                Err(error) => Err(port_error(key, error)),
            },
            Err(error) => Err(port_error(key, error)),
        }
    }

    async fn get(&self, key: &BlobKey) -> Result<Bytes, PortError> {
        let read = self.read(&self.path_of(key)).await;
        read.map_err(|error| port_error(key, error))
    }

    async fn delete(&self, key: &BlobKey) -> Result<(), PortError> {
        match self.store.delete(&self.path_of(key)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(port_error(key, error)),
        }
    }

    async fn list(&self, after: Option<&BlobKey>, limit: usize) -> Result<Vec<BlobKey>, PortError> {
        let under = self.root.clone().join("t");
        let objects = match after {
            Some(after) => self
                .store
                .list_with_offset(Some(&under), &self.path_of(after)),
            None => self.store.list(Some(&under)),
        };
        let keys = objects.try_filter_map(async |object| Ok(self.key_of(&object.location)));
        let page: Result<Vec<BlobKey>, Error> = keys.take(limit).try_collect().await;
        page.map_err(|error| unavailable(error.into()))
    }
}

impl fmt::Debug for S3Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Blobs")
            .field("config", &self.config)
            .field("creates_exclusively", &self.creates_exclusively)
            .finish_non_exhaustive()
    }
}

/// Whether a name is taken, in the words of different stores.
fn is_taken(error: &Error) -> bool {
    matches!(
        error,
        Error::AlreadyExists { .. } | Error::Precondition { .. }
    )
}

fn conflict(key: &BlobKey) -> PortError {
    PortError::Conflict {
        what: format!("blob {key}"),
    }
}

fn port_error(key: &BlobKey, error: Error) -> PortError {
    match error {
        Error::NotFound { .. } => PortError::NotFound {
            what: format!("blob {key}"),
        },
        error => unavailable(error.into()),
    }
}

fn unavailable(source: tareas_engine::ports::BoxError) -> PortError {
    PortError::Unavailable {
        adapter: ADAPTER,
        source,
    }
}
