//! The `AccessRecords` port: credentials and the audit log.
//!
//! With SQLite they are a file of their own, `access.db`, beside the tasks: nothing that is
//! written here waits for tasks or makes them wait, and the command line can make a token while
//! the server runs. With PostgreSQL they are two tables beside the others.

mod memory;
pub(crate) mod row;
mod sqlite;

pub use self::memory::MemoryAccess;
pub use self::sqlite::SqliteAccess;
