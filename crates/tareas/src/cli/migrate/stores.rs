//! Opening the stores of a migration. Whatever is open keeps servers away.

use std::sync::Arc;

use tareas_adapters::records::sqlite::{self, SqliteExport, SqliteImport};
use tareas_engine::ports::{Blobs, Export, Import};
use tareas_protocol::{Code, Lang};

use super::failures;
use super::side::Side;
use crate::config::{DATABASE, RecordStore};
use crate::output::Failure;
use crate::text::Text;

/// The records of a side, to be read.
pub(super) async fn export(side: &Side, lang: Lang) -> Result<Box<dyn Export>, Failure> {
    match &side.records {
        RecordStore::Memory => Err(Failure::usage(lang, Text::MigrateMemory, &[])),
        RecordStore::Sqlite(folder) => match SqliteExport::open(folder) {
            Ok(export) => Ok(Box::new(export)),
            Err(error) => Err(failures::sqlite(&error, folder, lang)),
        },
        #[cfg(feature = "postgres")]
        RecordStore::Postgres(url) => match postgres::export(url).await {
            Ok(export) => Ok(Box::new(export)),
            Err(error) => Err(failures::postgres(&error, url, lang)),
        },
    }
}

/// The records of a side, to be filled.
pub(super) async fn import(side: &Side, lang: Lang) -> Result<Box<dyn Import>, Failure> {
    match &side.records {
        RecordStore::Memory => Err(Failure::usage(lang, Text::MigrateMemory, &[])),
        RecordStore::Sqlite(folder) => match SqliteImport::open(folder) {
            Ok(import) => Ok(Box::new(import)),
            Err(error) => Err(failures::sqlite(&error, folder, lang)),
        },
        #[cfg(feature = "postgres")]
        RecordStore::Postgres(url) => match postgres::import(url).await {
            Ok(import) => Ok(Box::new(import)),
            Err(error) => Err(failures::postgres(&error, url, lang)),
        },
    }
}

/// What a target is found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Nothing is there, or no task.
    Empty,
    /// A migration has not ended.
    Unfinished,
    /// Tasks are there.
    Occupied,
}

/// Looks at a target, and makes nothing.
pub(super) async fn target(side: &Side, lang: Lang) -> Result<Target, Failure> {
    let opened = match &side.records {
        RecordStore::Memory => return Err(Failure::usage(lang, Text::MigrateMemory, &[])),
        RecordStore::Sqlite(folder) if !folder.join(DATABASE).exists() => return Ok(Target::Empty),
        RecordStore::Sqlite(folder) => match SqliteExport::open(folder) {
            Ok(export) => Box::new(export) as Box<dyn Export>,
            Err(sqlite::OpenError::Unfinished) => return Ok(Target::Unfinished),
            Err(error) => return Err(failures::sqlite(&error, folder, lang)),
        },
        #[cfg(feature = "postgres")]
        RecordStore::Postgres(url) => match postgres::export(url).await {
            Ok(export) => Box::new(export),
            Err(postgres::OpenError::Missing { .. }) => return Ok(Target::Empty),
            Err(postgres::OpenError::Unfinished) => return Ok(Target::Unfinished),
            Err(error) => return Err(failures::postgres(&error, url, lang)),
        },
    };
    of_counts(opened, lang).await
}

async fn of_counts(mut opened: Box<dyn Export>, lang: Lang) -> Result<Target, Failure> {
    let counted = opened.counts().await;
    let counts = counted.map_err(|error| {
        let what = crate::serve::with_sources(&error);
        let text = Text::MigrateStopped;
        Failure::new(Code::Unavailable, lang, text, &[("what", &what)]).with_hint("")
    })?;
    Ok(match counts.values().flatten().sum::<u64>() {
        0 => Target::Empty,
        _ => Target::Occupied,
    })
}

/// The blobs of both sides.
#[derive(Debug)]
pub(super) struct Shelves {
    pub(super) from: Arc<dyn Blobs>,
    pub(super) to: Arc<dyn Blobs>,
    /// They are not the same.
    pub(super) are_two: bool,
}

/// Opens the blobs of both sides.
pub(super) async fn shelves(from: &Side, to: &Side, lang: Lang) -> Result<Shelves, Failure> {
    Ok(Shelves {
        from: blobs(from, lang).await?,
        to: blobs(to, lang).await?,
        are_two: !from.has_blobs_of(to),
    })
}

/// Opens the blobs of one side.
pub(super) async fn blobs(side: &Side, lang: Lang) -> Result<Arc<dyn Blobs>, Failure> {
    crate::serve::open_blobs(&side.blobs, lang).await
}

#[cfg(feature = "postgres")]
mod postgres {
    //! Opening PostgreSQL under the identity of nobody: it serves nothing.

    pub(super) use tareas_adapters::records::postgres::OpenError;
    use tareas_adapters::records::postgres::{PostgresExport, PostgresImport, PostgresOptions};

    use crate::config::SecretUrl;

    const NOBODY: u128 = 0;

    pub(super) async fn export(url: &SecretUrl) -> Result<PostgresExport, OpenError> {
        PostgresExport::open(PostgresOptions::new(url.reveal(), NOBODY)?).await
    }

    pub(super) async fn import(url: &SecretUrl) -> Result<PostgresImport, OpenError> {
        PostgresImport::open(PostgresOptions::new(url.reveal(), NOBODY)?).await
    }
}
