//! The `WebhookRecords` port: webhooks, their deliveries, and how far ends are recorded.
//!
//! With SQLite they are a file of their own, `webhooks.db`, beside the tasks, which is made with
//! the first webhook. With PostgreSQL they are three tables beside the others.

mod memory;
pub(crate) mod row;
mod sqlite;

pub use self::memory::MemoryWebhooks;
pub use self::sqlite::SqliteWebhooks;
