//! `tareas restore`: a data folder from a backup.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use tareas_protocol::Code;
use tareas_protocol::code::exit;

use super::backup::{BLOBS, copy_blobs, not_written, stores};
use super::{Outcome, Session};
use crate::config::DATABASE;
use crate::output::Failure;
use crate::text::Text;

/// The file that a server locks while it uses a data folder.
const LOCK: &str = "lock";
/// What SQLite keeps beside a database: belongs to the old one.
const BESIDE: [&str; 2] = ["tareas.db-wal", "tareas.db-shm"];
/// How every SQLite database begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup, as `tareas backup` made it
    #[arg(value_name = "FILE")]
    source: PathBuf,
    /// The data folder to be made [default: ./tareas-data]
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// Overwrite a data folder that holds a database
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &RestoreArgs, session: &Session) -> Outcome {
    let (folder, blobs) = stores(args.data.as_ref(), session)?;
    let lang = session.lang();
    if !is_backup(&args.source) {
        let values: crate::text::Values<'_> = &[("path", &args.source.display())];
        return Err(Failure::usage(lang, Text::NotABackup, values));
    }
    if folder.join(DATABASE).exists() && !args.force {
        let values: crate::text::Values<'_> = &[("path", &folder.display())];
        return Err(Failure::new(Code::Conflict, lang, Text::NotEmpty, values)
            .with_hint(Text::NotEmptyHint.plain(lang))
            .with_exit(exit::REFUSED));
    }
    let failed = |error: io::Error| not_written(&folder, &error, session);
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let lock = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.join(LOCK));
    let lock = lock.map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => restore(&args.source, &folder, &blobs).map_err(failed)?,
        Err(TryLockError::WouldBlock) => {
            let values: crate::text::Values<'_> = &[("path", &folder.display())];
            return Err(Failure::new(Code::DataInUse, lang, Text::DataInUse, values)
                .with_hint(Text::DataInUseHint.plain(lang)));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let values: crate::text::Values<'_> = &[("path", &folder.display())];
    session
        .voice
        .result(&session.voice.text(Text::Restored, values));
    Ok(exit::OK)
}

fn is_backup(source: &Path) -> bool {
    let mut head = [0; MAGIC.len()];
    let read = File::open(source.join(DATABASE))
        .and_then(|mut file| io::Read::read_exact(&mut file, &mut head));
    read.is_ok() && head == *MAGIC
}

/// The database comes last and in one step: a restore that is cut short leaves none.
fn restore(source: &Path, folder: &Path, blobs: &Path) -> io::Result<()> {
    copy_blobs(&source.join(BLOBS), blobs)?;
    let partial = folder.join("tareas.db.partial");
    std::fs::copy(source.join(DATABASE), &partial)?;
    File::open(&partial)?.sync_all()?;
    for name in BESIDE {
        match std::fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::rename(&partial, folder.join(DATABASE))?;
    File::open(folder)?.sync_all()
}
