//! Why a server does not start, in words.

use std::error::Error;
use std::path::Path;

use tareas_adapters::records::sqlite::OpenError;
use tareas_engine::Refusal;
use tareas_protocol::{Code, Lang};

use crate::output::Failure;
use crate::text::Text;

/// The store does not open.
pub(super) fn open(error: &OpenError, folder: &Path, lang: Lang) -> Failure {
    let path = folder.display();
    match error {
        OpenError::InUse { .. } => {
            Failure::new(Code::DataInUse, lang, Text::DataInUse, &[("path", &path)])
                .with_hint(Text::DataInUseHint.plain(lang))
        }
        other => data(folder, other, lang),
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

    let code = match error {
        OpenError::Connect { .. } | OpenError::Sql { .. } => Code::Unavailable,
        OpenError::Taken => Code::DataInUse,
        OpenError::LocalBlobs => return local_blobs(error, lang),
        _ => Code::InvalidConfiguration,
    };
    let values: crate::text::Values<'_> = &[("url", url)];
    Failure::new(code, lang, Text::RecordsNotUsable, values)
        .because(with_sources(error))
        .with_hint(Text::RecordsNotUsableHint.plain(lang))
}

#[cfg(feature = "postgres")]
fn local_blobs(error: &dyn Error, lang: Lang) -> Failure {
    cannot_start(error, lang).with_hint(Text::LocalBlobsHint.plain(lang))
}

/// A folder cannot be used.
pub(super) fn data(folder: &Path, error: &dyn Error, lang: Lang) -> Failure {
    let values: crate::text::Values<'_> = &[("path", &folder.display())];
    Failure::new(
        Code::InvalidConfiguration,
        lang,
        Text::DataNotUsable,
        values,
    )
    .because(with_sources(error))
    .with_hint(Text::DataNotUsableHint.plain(lang))
}

/// The engine does not go on where it left off.
pub(super) fn engine(error: &Refusal, lang: Lang) -> Failure {
    cannot_start(error, lang)
}

/// The system does not give what is needed.
pub(crate) fn cannot_start(error: &dyn Error, lang: Lang) -> Failure {
    let what = with_sources(error);
    Failure::new(
        Code::Unavailable,
        lang,
        Text::CannotStart,
        &[("what", &what)],
    )
    .with_hint("")
}

/// The error and its causes in one sentence.
pub(crate) fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
