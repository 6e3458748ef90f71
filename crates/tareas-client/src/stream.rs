//! A connection that two threads use, one reading and one writing, encrypted or not.
//!
//! With TLS, what is encrypted leaves under a lock of its own, so that a writer that the network
//! holds up does not hold up the reader: two sides that both wait to be read would wait for ever.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::Credentials;

/// How much is read from the socket, and encrypted, at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// A connection. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Stream(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tcp: TcpStream,
    tls: Option<Tls>,
}

#[derive(Debug)]
struct Tls {
    session: Mutex<ClientConnection>,
    /// Held from when something is encrypted until it has left: records have an order.
    leaving: Mutex<()>,
}

impl Stream {
    /// A connection that is not encrypted.
    pub(crate) fn plain(tcp: TcpStream) -> Self {
        Self(Arc::new(Inner { tcp, tls: None }))
    }

    /// An encrypted connection to the server of this name, once it has proved that it is.
    pub(crate) fn encrypted(
        tcp: TcpStream,
        host: &str,
        credentials: &Credentials,
        within: Duration,
    ) -> io::Result<Self> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let config = config(credentials.trusted.as_deref())?;
        let mut session =
            ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        tcp.set_read_timeout(Some(within))?;
        while session.is_handshaking() {
            session.complete_io(&mut &tcp)?;
        }
        tcp.set_read_timeout(None)?;
        let tls = Tls {
            session: Mutex::new(session),
            leaving: Mutex::default(),
        };
        Ok(Self(Arc::new(Inner {
            tcp,
            tls: Some(tls),
        })))
    }

    /// How long a read may take.
    pub(crate) fn set_read_timeout(&self, within: Option<Duration>) -> io::Result<()> {
        self.0.tcp.set_read_timeout(within)
    }

    /// Says that nothing more will be written; what the other side still says can be read.
    pub(crate) fn finish_writing(&self) -> io::Result<()> {
        if let Some(tls) = &self.0.tls {
            let _turn = lock(&tls.leaving);
            lock(&tls.session).send_close_notify();
            tls.flush(&self.0.tcp)?;
        }
        self.0.tcp.shutdown(Shutdown::Write)
    }

    /// Ends the connection; whoever reads is told so.
    pub(crate) fn close(&self) {
        // A connection that is gone already is as good.
        let _ = self.0.tcp.shutdown(Shutdown::Both);
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &self.0.tls {
            Some(tls) => tls.read(&self.0.tcp, into),
            None => (&self.0.tcp).read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &self.0.tls else {
            return (&self.0.tcp).write(bytes);
        };
        let _turn = lock(&tls.leaving);
        let some = &bytes[..bytes.len().min(CHUNK_BYTES)];
        let written = lock(&tls.session).writer().write(some)?;
        tls.flush(&self.0.tcp)?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Tls {
    /// Sends what is encrypted. The caller has the turn.
    fn flush(&self, mut tcp: &TcpStream) -> io::Result<()> {
        let mut encrypted = Vec::with_capacity(CHUNK_BYTES + 256);
        {
            let mut session = lock(&self.session);
            while session.wants_write() {
                session.write_tls(&mut encrypted)?;
            }
        }
        tcp.write_all(&encrypted)
    }

    fn read(&self, mut tcp: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
        let mut encrypted = [0; CHUNK_BYTES];
        loop {
            match lock(&self.session).reader().read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Lines and HTTP bodies tell by themselves whether they are whole.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
            let count = tcp.read(&mut encrypted)?;
            let mut rest = &encrypted[..count];
            let mut session = lock(&self.session);
            loop {
                session.read_tls(&mut rest)?;
                session.process_new_packets().map_err(io::Error::other)?;
                if rest.is_empty() {
                    break;
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn config(trusted: Option<&Path>) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match trusted {
        Some(file) => {
            let found = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
            let found: Vec<CertificateDer<'static>> =
                found.map_err(|error| io::Error::other(format!("{}: {error}", file.display())))?;
            for certificate in found {
                roots.add(certificate).map_err(io::Error::other)?;
            }
        }
        None => {
            // What cannot be read among them is not trusted.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
