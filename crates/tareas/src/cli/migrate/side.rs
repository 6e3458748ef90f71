//! Which stores are meant: a data folder, URLs, or what `serve` would use here.

use std::path::Path;

use crate::cli::Session;
use crate::config::{BlobStore, Flags, RecordStore, masked};
use crate::output::Failure;
use crate::text::Text;

/// One side of a migration.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) records: RecordStore,
    pub(super) blobs: BlobStore,
    /// The URL of the records, as it was given.
    url: String,
}

impl Side {
    /// From a data folder, a URL of records and one of blobs; what is not said comes from the
    /// folder, or else from the configuration.
    pub(super) fn of(said: [Option<&str>; 3], session: &Session) -> Result<Self, Failure> {
        let [folder, records, blobs] = said;
        let all_of = |local| folder.map(|_| local);
        let flag =
            |name, value: Option<&str>| (name, value.map(str::to_owned).into_iter().collect());
        let flags: Flags = vec![
            flag("data", folder),
            flag("records", records.or(all_of("sqlite:"))),
            flag("blobs", blobs.or(all_of("file:"))),
        ];
        let configuration = session.configuration(flags)?;
        let lang = session.lang();
        let side = Self {
            records: RecordStore::of(&configuration, lang)?,
            blobs: BlobStore::of(&configuration, lang)?,
            url: configuration.text("records")?.to_owned(),
        };
        match side.records {
            RecordStore::Memory => Err(Failure::usage(lang, Text::MigrateMemory, &[])),
            _ => Ok(side),
        }
    }

    /// What the records are, without secrets: the same whenever the same is meant.
    pub(super) fn name(&self) -> String {
        match &self.records {
            RecordStore::Sqlite(folder) => format!("sqlite:{}", absolute(folder)),
            _ => masked(&self.url),
        }
    }

    /// Whether both sides are the same records.
    pub(super) fn has_records_of(&self, other: &Self) -> bool {
        self.name() == other.name()
    }

    /// Whether both sides have the same blobs, so that none need be brought over.
    pub(super) fn has_blobs_of(&self, other: &Self) -> bool {
        match (&self.blobs, &other.blobs) {
            (BlobStore::Folder(one), BlobStore::Folder(two)) => absolute(one) == absolute(two),
            #[cfg(feature = "s3")]
            (one, two) => one == two,
        }
    }
}

/// The folder by the name that it has wherever one is; it need not exist.
fn absolute(folder: &Path) -> String {
    let resolved = folder
        .canonicalize()
        .or_else(|_| std::path::absolute(folder));
    resolved
        .unwrap_or_else(|_| folder.to_owned())
        .display()
        .to_string()
}
