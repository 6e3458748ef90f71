//! A store that speaks S3, inside the test.
//!
//! `s3s-fs` checks `If-None-Match` and then writes, which two at once can slip through; real
//! stores give one winner. So writes pass one at a time here.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
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
use tareas_adapters::blobs::s3::{S3Config, S3Keys};
use tokio::net::TcpListener;

const BUCKET: &str = "tareas-blobs";

/// A running store. It ends with the runtime that it was started on.
pub(crate) struct Store {
    address: SocketAddr,
    front: Front,
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
#[derive(Default)]
struct Faults {
    fails: AtomicBool,
    ignores_conditions: AtomicBool,
}

impl Store {
    pub(crate) async fn start() -> Self {
        Self::begin(Faults::default(), true).await
    }

    /// One of those stores that write whatever the condition says. It knows no accounts, since
    /// a request without its condition is not the one that was signed.
    pub(crate) async fn start_heedless() -> Self {
        let ignores_conditions = AtomicBool::new(true);
        let faults = Faults {
            ignores_conditions,
            ..Faults::default()
        };
        Self::begin(faults, false).await
    }

    async fn begin(faults: Faults, has_accounts: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        if has_accounts {
            builder.set_auth(SimpleAuth::from_single("key", "secret"));
        }
        let front = Front {
            store: builder.build(),
            faults: Arc::new(faults),
            writing: Arc::default(),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, front.clone()));
        Self {
            address,
            front,
            _folder: folder,
        }
    }

    pub(crate) fn config(&self) -> S3Config {
        S3Config::parse(&self.url()).unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("s3://{BUCKET}/some/where?endpoint=http://{}", self.address)
    }

    /// Answers 500 to everything, or not any more.
    pub(crate) fn fail(&self, fails: bool) {
        self.front.faults.fails.store(fails, Ordering::SeqCst);
    }
}

pub(crate) fn keys() -> S3Keys {
    S3Keys {
        id: "key".to_owned(),
        secret: "secret".to_owned(),
        session: None,
    }
}

async fn serve(listener: TcpListener, front: Front) {
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
