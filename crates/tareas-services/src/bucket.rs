//! A bucket in a store that speaks S3, inside the test.
//!
//! `s3s-fs` checks `If-None-Match` and then writes, which two at once can slip through; real
//! stores give one winner. So writes pass one at a time here.

use std::convert::Infallible;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::body::Incoming;
use hyper::service::Service;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::Body;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::runtime::{Builder, Runtime};

const NAME: &str = "tareas-blobs";

/// A running store with one bucket; it ends when this is dropped.
#[derive(Debug)]
pub struct Bucket {
    address: SocketAddr,
    faults: Arc<Faults>,
    /// Always there until this is dropped.
    runtime: Option<Runtime>,
    _folder: tempfile::TempDir,
}

/// What stands before the store.
#[derive(Clone)]
struct Front {
    store: S3Service,
    faults: Arc<Faults>,
    writing: Arc<tokio::sync::Mutex<()>>,
}

/// What it does wrong.
#[derive(Debug, Default)]
struct Faults {
    fails: AtomicBool,
    ignores_conditions: AtomicBool,
}

impl Bucket {
    /// The id of the only account.
    pub const KEY: &str = "key";
    /// Its secret.
    pub const SECRET: &str = "secret";

    /// Starts a store that keeps what it promises.
    ///
    /// # Panics
    /// When the system has no folder, port or thread for it.
    pub fn start() -> Self {
        Self::begin(Faults::default(), true)
    }

    /// Starts one of those that write whatever the condition says. It knows no accounts, since
    /// a request without its condition is not the one that was signed.
    ///
    /// # Panics
    /// As [`Bucket::start`].
    pub fn start_heedless() -> Self {
        let ignores_conditions = AtomicBool::new(true);
        let faults = Faults {
            ignores_conditions,
            ..Faults::default()
        };
        Self::begin(faults, false)
    }

    fn begin(faults: Faults, has_accounts: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the bucket");
        std::fs::create_dir(folder.path().join(NAME)).expect("a folder for the bucket");
        let files = FileSystem::new(folder.path()).expect("the folder is there");
        let mut builder = S3ServiceBuilder::new(files);
        if has_accounts {
            builder.set_auth(SimpleAuth::from_single(Self::KEY, Self::SECRET));
        }
        let faults = Arc::new(faults);
        let front = Front {
            store: builder.build(),
            faults: Arc::clone(&faults),
            writing: Arc::default(),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port for the bucket");
        listener.set_nonblocking(true).expect("a socket of ours");
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a thread for the bucket");
        let address = listener.local_addr().expect("a socket of ours");
        runtime.spawn(serve(listener, front));
        Self {
            address,
            faults,
            runtime: Some(runtime),
            _folder: folder,
        }
    }

    /// Where its blobs are, as `--blobs` reads it.
    pub fn url(&self) -> String {
        format!("s3://{NAME}/some/where?endpoint=http://{}", self.address)
    }

    /// Answers 500 to everything, or not any more.
    pub fn fail(&self, fails: bool) {
        self.faults.fails.store(fails, Ordering::SeqCst);
    }
}

impl Drop for Bucket {
    /// Without waiting, which a test that is itself asynchronous may not do.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(listener: TcpListener, front: Front) {
    let listener =
        tokio::net::TcpListener::from_std(listener).expect("a socket that does not block");
    while let Ok((socket, _)) = listener.accept().await {
        // Else every answer waits for the client's delayed acknowledgement.
        let _ = socket.set_nodelay(true);
        let front = front.clone();
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(socket), front).await;
        });
    }
}

impl Service<Request<Incoming>> for Front {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let front = self.clone();
        Box::pin(async move {
            if front.faults.fails.load(Ordering::SeqCst) {
                return Ok(failed());
            }
            if front.faults.ignores_conditions.load(Ordering::SeqCst) {
                for header in ["if-none-match", "authorization"] {
                    request.headers_mut().remove(header);
                }
            }
            let _writing = match *request.method() == Method::PUT {
                true => Some(front.writing.lock().await),
                false => None,
            };
            Ok(Service::call(&front.store, request)
                .await
                .unwrap_or_else(|_| failed()))
        })
    }
}

fn failed() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
