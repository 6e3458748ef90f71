//! The sandbox of a kind: a word, or a table that adds to it.

use toml::de::DeValue;

use super::SandboxConfig;
use super::table::{Field, Read, table};
use super::value;
use crate::text::Text;
use tareas_worker::command::SandboxMode;

/// The words, and what they stand for.
const MODES: [(&str, SandboxMode); 4] = [
    ("basic", SandboxMode::Basic),
    ("readonly", SandboxMode::ReadOnly),
    ("strict", SandboxMode::Strict),
    ("off", SandboxMode::Off),
];

/// Reads `sandbox`.
pub(super) fn sandbox(config: &mut SandboxConfig, field: &Field<'_>) -> Read {
    if matches!(field.spanned.get_ref(), DeValue::String(_)) {
        config.mode = Some(mode(field)?);
        return Ok(());
    }
    for (key, spanned) in table(field.name, field.spanned, field.source)? {
        let inner = Field {
            name: key.get_ref(),
            spanned,
            source: field.source,
        };
        let paths = || inner.or(value::texts(spanned.get_ref()), Text::ExpectStrings);
        match inner.name {
            "mode" => config.mode = Some(mode(&inner)?),
            "read" => config.read = paths()?,
            "write" => config.write = paths()?,
            "required" => config.is_required = inner.flag()?,
            other => {
                let known = ["mode", "read", "write", "required"];
                return Err(field.source.unknown(other, key.span(), known));
            }
        }
    }
    Ok(())
}

fn mode(field: &Field<'_>) -> Result<SandboxMode, crate::output::Failure> {
    let word = field.word(&MODES.map(|(word, _)| word))?;
    let found = MODES.iter().find(|(known, _)| *known == word);
    Ok(found.map_or(SandboxMode::default(), |(_, mode)| *mode))
}
