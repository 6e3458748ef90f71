//! `tareas backup`: a copy of all data, also while a server runs.
//!
//! A backup is a folder: `tareas.db`, copied page by page by SQLite's own backup as of one
//! moment, and `blobs/`. Blobs never change once written, so they are copied before and again
//! after the database: whatever the copy of the database names was there at one of the times.

use std::path::{Path, PathBuf};

use clap::Args;
use tareas_adapters::records::sqlite;
use tareas_protocol::Code;
use tareas_protocol::code::exit;

use super::{Outcome, Session};
use crate::config::{DATABASE, Flags, RecordStore, ServeConfig};
use crate::output::{Failure, spoken};
use crate::text::Text;

/// The blobs within a backup.
pub(super) const BLOBS: &str = "blobs";

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The folder to be made; it must not exist
    #[arg(value_name = "FILE")]
    target: PathBuf,
    /// The data folder of the server [default: ./tareas-data]
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
}

pub(super) fn run(args: &BackupArgs, session: &Session) -> Outcome {
    let (folder, blobs) = stores(args.data.as_ref(), session)?;
    let lang = session.lang();
    if !folder.join(DATABASE).exists() {
        let values: crate::text::Values<'_> = &[("path", &folder.display())];
        return Err(Failure::new(Code::NotFound, lang, Text::NoDatabase, values)
            .with_hint(Text::DataNotUsableHint.plain(lang))
            .with_exit(exit::REFUSED));
    }
    if args.target.exists() {
        let values: crate::text::Values<'_> = &[("path", &args.target.display())];
        return Err(Failure::new(Code::Conflict, lang, Text::FileExists, values)
            .with_hint(Text::FileExistsHint.plain(lang))
            .with_exit(exit::REFUSED));
    }
    let partial = args.target.with_added_extension("partial");
    let copied = copy(&folder, &blobs, &partial).and_then(|bytes| {
        std::fs::rename(&partial, &args.target)?;
        Ok(bytes)
    });
    let bytes = copied.map_err(|error| {
        // The error that counts is the one before.
        let _ = std::fs::remove_dir_all(&partial);
        not_written(&args.target, &error, session)
    })?;
    let megabytes = format!("{:.1}", bytes as f64 / 1e6);
    let values: crate::text::Values<'_> =
        &[("path", &args.target.display()), ("megabytes", &megabytes)];
    session
        .voice
        .result(&session.voice.text(Text::BackedUp, values));
    Ok(exit::OK)
}

/// Where the configuration has the database and the blobs.
pub(super) fn stores(
    data: Option<&String>,
    session: &Session,
) -> Result<(PathBuf, PathBuf), Failure> {
    let flags: Flags = vec![("data", data.into_iter().cloned().collect())];
    let config = ServeConfig::of(&session.configuration(flags)?, session.lang())?;
    // In a bucket they stay, which has ways of its own to be kept: then there is nothing here.
    let blobs = config
        .blobs
        .folder()
        .map_or_else(|| config.data.join(BLOBS), Path::to_owned);
    let path = match config.records {
        RecordStore::Sqlite(folder) => return Ok((folder, blobs)),
        RecordStore::Memory => "memory:".to_owned(),
        #[cfg(feature = "postgres")]
        RecordStore::Postgres(url) => url.to_string(),
    };
    let (code, values) = (Code::InvalidConfiguration, &[("path", &path as _)]);
    Err(Failure::new(code, session.lang(), Text::NoDatabase, values))
}

/// The failure for what could not be written.
pub(super) fn not_written(path: &Path, error: &std::io::Error, session: &Session) -> Failure {
    let values: crate::text::Values<'_> = &[("path", &path.display())];
    Failure::new(Code::StorageFull, session.lang(), Text::CannotWrite, values)
        .because(spoken(error, session.lang()))
        .with_hint("")
}

fn copy(folder: &Path, blobs: &Path, target: &Path) -> std::io::Result<u64> {
    std::fs::create_dir_all(target)?;
    copy_blobs(blobs, &target.join(BLOBS))?;
    let database = target.join(DATABASE);
    sqlite::backup(folder, &database, |_| {}).map_err(std::io::Error::other)?;
    copy_blobs(blobs, &target.join(BLOBS))?;
    Ok(std::fs::metadata(&database)?.len() + size_of(&target.join(BLOBS))?)
}

/// Copies every file that is not there yet. One that is removed meanwhile is not wanted.
pub(super) fn copy_blobs(from: &Path, to: &Path) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(from) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    std::fs::create_dir_all(to)?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_blobs(&entry.path(), &target)?;
        } else if !target.exists() {
            match std::fs::copy(entry.path(), &target) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                copied => drop(copied?),
            }
        }
    }
    Ok(())
}

fn size_of(folder: &Path) -> std::io::Result<u64> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut bytes = 0;
    for entry in entries {
        let entry = entry?;
        bytes += match entry.file_type()?.is_dir() {
            true => size_of(&entry.path())?,
            false => entry.metadata()?.len(),
        };
    }
    Ok(bytes)
}
