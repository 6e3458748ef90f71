//! Opening the database: settings that durability rests on are set and then read back.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::config::DATABASE_FILE;
use super::folder::Folder;
use super::{Durability, OpenError, SqliteConfig, migrate};

/// Older ones can lose the end of the log when one connection writes while another checkpoints.
const SQLITE_OLDEST: i32 = 3_051_003;
/// After a restart of the log a larger file is cut back to this.
const WAL_KEPT_BYTES: i64 = 64 * 1024 * 1024;
/// How long one statement waits for another process before it reports that it is busy.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_millis(100);

/// Opens the one connection that writes, and brings the schema up to date.
pub(super) fn writer(folder: &Folder, config: &SqliteConfig) -> Result<Connection, OpenError> {
    refuse_defective()?;
    folder.make_private(DATABASE_FILE)?;
    let path = folder.file(DATABASE_FILE);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags)?;
    migrate::refuse_foreign(&connection, &path)?;
    connection.pragma_update(None, "page_size", 4096)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    expect_setting("journal_mode", mode.eq_ignore_ascii_case("wal"), &mode)?;
    set_common(&connection)?;
    let level = match config.durability {
        Durability::Full => 2,
        Durability::Os => 1,
    };
    connection.pragma_update(None, "synchronous", level)?;
    let found: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    expect_setting("synchronous", found == level, &found.to_string())?;
    connection.pragma_update(None, "cache_size", -i64::from(config.cache_kib))?;
    connection.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES)?;
    migrate::run(&connection)?;
    Ok(connection)
}

/// Opens a connection that only reads and leaves the log alone.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    set_common(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_db_config(
        rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
        true,
    )?;
    Ok(connection)
}

fn set_common(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Only the writer checkpoints, and only between commits.
    connection.pragma_update(None, "wal_autocheckpoint", 0)
}

fn refuse_defective() -> Result<(), OpenError> {
    let found = rusqlite::version_number();
    if found < SQLITE_OLDEST {
        let what = format!(
            "version {} has a defect that loses commits",
            rusqlite::version()
        );
        return Err(OpenError::Unsafe { what });
    }
    Ok(())
}

fn expect_setting(name: &str, took: bool, found: &str) -> Result<(), OpenError> {
    if took {
        return Ok(());
    }
    Err(OpenError::Unsafe {
        what: format!("{name} did not take, it is {found}"),
    })
}
