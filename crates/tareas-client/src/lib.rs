//! How a program submits tasks.
//!
//! [`Client`] talks to a server over one connection and may be used from many threads. Every
//! submission carries an id that is made here, before the first byte is sent; so whatever
//! happens to the connection, sending it again makes no second task. That is what the client
//! does by itself: it reconnects, sends again what was not answered, and waits on.
//!
//! ```no_run
//! use std::time::Duration;
//! use tareas_client::{Client, End, Options};
//!
//! # fn main() -> Result<(), tareas_client::Error> {
//! let client = Client::connect("tcp://127.0.0.1:5000", Options::default())?;
//! let ticket = client.submit("square", r#"{"n":5}"#)?;
//! println!("accepted as {}", ticket.task_id());
//! match ticket.wait(Some(Duration::from_secs(10)))? {
//!     End::Succeeded(json) => println!("{json}"), // 25
//!     End::Failed { error, .. } => eprintln!("{error}"),
//!     End::Cancelled { reason } => eprintln!("cancelled: {reason}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What the client promises:
//!
//! - [`Client::submit`] returns when the task is accepted, which means that it is on disk;
//! - a [`Ticket`] tells the end of its task once, also across lost connections;
//! - nothing waits for ever unless it is asked to: [`Options`] names each limit.
//!
//! What goes wrong is an [`Error`], with what to do about it: [`Error::Refused`] has the code of the
//! server, which is stable ([`Code`]); [`Error::ConnectionLost`] has the id of the task, under which
//! the same submission can be made again.
//!
//! The other side is here, too. [`worker::RemoteWorker`] runs the tasks of a server in this process,
//! with the handlers of a [`Registry`](tareas_worker::Registry):
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::Duration;
//! use tareas_client::worker::{RemoteWorker, WorkerOptions};
//! use tareas_worker::{Context, HandlerError, Registry};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut registry = Registry::new();
//! registry.register("shout", |_: &Context, text: String| -> Result<String, HandlerError> {
//!     Ok(text.to_uppercase())
//! });
//! let options = WorkerOptions { name: "shouter".to_owned(), threads: 2, ..WorkerOptions::default() };
//! let worker = RemoteWorker::start("tcp://127.0.0.1:5000".parse()?, Arc::new(registry), options)?;
//! # let until_told_to_stop = || {};
//! until_told_to_stop();
//! worker.stop(Duration::from_secs(30));
//! # Ok(())
//! # }
//! ```
//!
//! It comes back after a lost connection and goes on with what it holds; a result is kept until the
//! server has recorded it. A task runs at least once: a handler that must not do something twice
//! takes the id of its task as a key.
//!
//! [`Pipeline`] is the plain path for programs that count nanoseconds, [`http`] the requests
//! that lines do not have. There is no async here and no dependency on a runtime.

mod address;
mod board;
mod client;
mod credentials;
mod end;
mod error;
mod follow;
pub mod http;
mod id;
mod link;
mod options;
mod pipeline;
mod stream;
mod submit;
mod text_line;
mod ticket;
pub mod worker;

pub use address::Address;
pub use client::{Cancel, Client, Looked};
pub use credentials::{Credentials, Secret};
pub use end::{Acknowledged, End};
pub use error::Error;
pub use follow::{Follow, Followed};
pub use id::TaskId;
pub use options::{Event, OnEvent, Options};
pub use pipeline::{Pipeline, PipelineReader, PipelineWriter};
pub use submit::{Backoff, Submit, TraceParent, parse_traceparent};
pub use tareas_protocol::response::Status;
pub use tareas_protocol::{Code, ErrorObject, Lang};
pub use ticket::Ticket;

/// What most functions here return.
pub type Result<T> = std::result::Result<T, Error>;
