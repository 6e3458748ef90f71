//! Private throw-away instances of the real services, for tests only.
//!
//! Every instance is a child of the test that started it, listens on loopback on free ports,
//! keeps all its state in a temporary folder, and ends with the test. Instances that something
//! else started are never touched. A service that is not installed skips the test aloud, and
//! fails it under `CI=true`.

mod balancer;
#[cfg(feature = "bucket")]
mod bucket;
mod faults;
mod haproxy;
mod nginx;
mod ports;
mod postgres;
mod presence;
mod rabbitmq;

#[cfg(feature = "bucket")]
pub use bucket::Bucket;
pub use faults::{FaultProxy, Side};
pub use haproxy::Haproxy;
pub use nginx::Nginx;
pub use ports::free_port;
pub use postgres::{Postgres, SHARED as SHARED_POSTGRES};
pub use presence::{Service, is_missing};
pub use rabbitmq::{OnQueues, Rabbitmq, SHARED as SHARED_RABBITMQ};
