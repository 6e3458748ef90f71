//! TLS: certificate and key from files, read again when asked, and handshakes within bounds.
//!
//! rustls alone, versions 1.2 and 1.3. A handshake that takes too long is given up, and the number
//! of those that have begun is bounded: the rest wait, within the same time. What they compute is
//! bounded by the threads of the runtime, of which there is one for each core; a bound as small as
//! that on handshakes would let a few clients that stop in the middle lock out all others.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Handshakes that have begun and have not ended. Each holds some 20 KiB.
const HANDSHAKES_MAX: usize = 1_024;
/// What browsers may choose from. Clients of lines say nothing of it.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds none.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// They do not fit each other, or rustls does not take them.
    #[error("certificate and key cannot be used: {0}")]
    Unfit(#[from] rustls::Error),
}

/// A certificate and its key.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<TlsAcceptor>,
    handshakes: Semaphore,
}

impl Tls {
    /// Reads certificate and key from PEM files.
    ///
    /// # Errors
    /// When they cannot be read or used.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        Ok(Self {
            current: RwLock::new(read(certificate, key)?),
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            handshakes: Semaphore::new(HANDSHAKES_MAX),
        })
    }

    /// Reads both again, for connections that begin from now on. What cannot be used changes
    /// nothing.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn reload(&self) -> Result<(), TlsError> {
        let fresh = read(&self.certificate, &self.key)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// The encrypted stream of a connection that begins with a hello; `None` when it does not
    /// come to that in time.
    pub(super) async fn accept<S>(&self, stream: S, within: Duration) -> Option<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let acceptor = {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            current.clone()
        };
        let handshake = async {
            let _turn = self.handshakes.acquire().await.ok()?;
            let accepted = acceptor.accept(stream).await;
            accepted
                .inspect_err(|error| tracing::debug!(%error, "no TLS connection"))
                .ok()
        };
        timeout(within, handshake).await.ok()?
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

fn read(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain: Vec<CertificateDer<'static>> = chain.map_err(wrong(certificate))?;
    if chain.is_empty() {
        let (path, reason) = (certificate.to_owned(), "no certificate in it".to_owned());
        return Err(TlsError::File { path, reason });
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(wrong(key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, secret)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn wrong(path: &Path) -> impl FnOnce(rustls::pki_types::pem::Error) -> TlsError + use<> {
    let path = path.to_owned();
    move |error| TlsError::File {
        path,
        reason: error.to_string(),
    }
}
