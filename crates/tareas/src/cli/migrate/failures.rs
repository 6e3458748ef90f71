//! Why a migration does not begin, or does not end, in words.

use std::path::Path;

use tareas_adapters::records::sqlite;
use tareas_engine::migration::MigrationError;
use tareas_engine::ports::PortError;
use tareas_protocol::code::exit;
use tareas_protocol::{Code, Lang};

use super::side::Side;
use crate::output::Failure;
use crate::serve::with_sources;
use crate::text::{Text, Values};

/// A data folder does not open.
pub(super) fn sqlite(error: &sqlite::OpenError, folder: &Path, lang: Lang) -> Failure {
    let values: Values<'_> = &[("path", &folder.display())];
    match error {
        sqlite::OpenError::InUse { .. } => {
            Failure::new(Code::DataInUse, lang, Text::DataInUse, values)
                .with_hint(Text::MigrateServedHint.plain(lang))
        }
        sqlite::OpenError::Missing { .. } => {
            Failure::new(Code::NotFound, lang, Text::NoDatabase, values)
                .with_hint(Text::DataNotUsableHint.plain(lang))
                .with_exit(exit::REFUSED)
        }
        sqlite::OpenError::Unfinished => unfinished(folder.display(), lang),
        other => {
            let (code, text) = (Code::InvalidConfiguration, Text::DataNotUsable);
            Failure::new(code, lang, text, values).because(with_sources(other))
        }
    }
}

/// PostgreSQL does not open.
#[cfg(feature = "postgres")]
pub(super) fn postgres(
    error: &tareas_adapters::records::postgres::OpenError,
    url: &crate::config::SecretUrl,
    lang: Lang,
) -> Failure {
    use tareas_adapters::records::postgres::OpenError;

    let values: Values<'_> = &[("url", url)];
    match error {
        OpenError::Served | OpenError::Migrating => {
            Failure::new(Code::DataInUse, lang, Text::MigrateServed, values)
                .with_hint(Text::MigrateServedHint.plain(lang))
        }
        OpenError::Missing { .. } => {
            Failure::new(Code::NotFound, lang, Text::MigrateNoRecords, values)
                .with_hint("")
                .with_exit(exit::REFUSED)
        }
        OpenError::Unfinished => unfinished(url, lang),
        other => {
            let code = match other {
                OpenError::Connect { .. } | OpenError::Sql { .. } => Code::Unavailable,
                _ => Code::InvalidConfiguration,
            };
            Failure::new(code, lang, Text::RecordsNotUsable, values)
                .because(with_sources(other))
                .with_hint(Text::RecordsNotUsableHint.plain(lang))
        }
    }
}

fn unfinished(place: impl std::fmt::Display, lang: Lang) -> Failure {
    let values: Values<'_> = &[("place", &place)];
    Failure::new(Code::Conflict, lang, Text::MigrateUnfinished, values)
        .with_hint(Text::MigrateUnfinishedHint.plain(lang))
        .with_exit(exit::REFUSED)
}

/// The target holds tasks.
pub(super) fn occupied(to: &Side, lang: Lang) -> Failure {
    let values: Values<'_> = &[("place", &to.name())];
    Failure::new(Code::Conflict, lang, Text::MigrateOccupied, values)
        .with_hint(Text::MigrateOccupiedHint.plain(lang))
        .with_exit(exit::REFUSED)
}

/// It has begun, and did not end.
pub(super) fn migration(error: MigrationError, from: &Side, to: &Side, lang: Lang) -> Failure {
    match error {
        MigrationError::Occupied => occupied(to, lang),
        MigrationError::OfAnother { from } => {
            let values: Values<'_> = &[("place", &to.name()), ("from", &from)];
            Failure::new(Code::Conflict, lang, Text::MigrateOfAnother, values)
                .with_hint(Text::MigrateOccupiedHint.plain(lang))
                .with_exit(exit::REFUSED)
        }
        MigrationError::Read(error) => stopped(&from.name(), &error, lang),
        MigrationError::Write(error) => stopped(&to.name(), &error, lang),
        MigrationError::Blob { task, key, what } => {
            let values: Values<'_> = &[("task", &task), ("key", &key), ("what", &what)];
            Failure::new(Code::NotFound, lang, Text::MigrateBlob, values)
                .with_hint(Text::MigrateBlobHint.fill(lang, &[("task", &task)]))
                .with_exit(exit::TASK_FAILED)
        }
        MigrationError::Differs { what, .. } => Failure::new(
            Code::Conflict,
            lang,
            Text::MigrateDiffers,
            &[("what", &what)],
        )
        .with_hint(Text::MigrateDiffersHint.plain(lang))
        .with_exit(exit::TASK_FAILED),
    }
}

fn stopped(place: &str, error: &PortError, lang: Lang) -> Failure {
    let code = match error {
        PortError::Full { .. } => Code::StorageFull,
        PortError::Conflict { .. } => Code::Conflict,
        _ => Code::Unavailable,
    };
    let what = format!("{place}: {}", with_sources(error));
    Failure::new(code, lang, Text::MigrateStopped, &[("what", &what)])
        .with_hint(Text::MigrateStoppedHint.plain(lang))
}
