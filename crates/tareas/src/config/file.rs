//! `tareas.toml`: reading it, and pointing at what is wrong in it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use tareas_protocol::nearest::nearest;
use tareas_protocol::{Code, Lang};
use toml::de::{DeTable, DeValue};

use super::key::{KEYS, Key, Shape};
use super::kinds::KindConfig;
use crate::output::Failure;
use crate::text::Text;

/// Where a file is looked for when none is named.
const PLACES: [&str; 2] = ["./tareas.toml", "/etc/tareas/tareas.toml"];

/// The table of kinds.
const KINDS: &str = "kinds";

/// A configuration file, read and checked for its keys.
#[derive(Debug)]
pub(crate) struct File {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) entries: Vec<Entry>,
    /// The kinds that are commands.
    pub(crate) kinds: Vec<KindConfig>,
}

/// One key of a file.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: &'static Key,
    /// Its values, as text.
    pub(crate) values: Vec<String>,
    /// The line, from 1.
    pub(crate) line: usize,
    /// The value is the name of a file that holds the value.
    pub(crate) is_indirect: bool,
}

impl File {
    /// The named file, or the first of the usual places that has one.
    pub(crate) fn find(named: Option<&Path>, lang: Lang) -> Result<Option<Self>, Failure> {
        let usual = || PLACES.iter().map(Path::new).find(|path| path.exists());
        match named.or_else(usual) {
            Some(path) => Self::read(path, lang).map(Some),
            None => Ok(None),
        }
    }

    fn read(path: &Path, lang: Lang) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let text = Text::CannotRead;
            Failure::new(
                Code::InvalidConfiguration,
                lang,
                text,
                &[("path", &path.display())],
            )
            .because(crate::output::spoken(&error, lang))
            .with_hint("")
        })?;
        Self::parse(path, &text, lang)
    }

    pub(super) fn parse(path: &Path, text: &str, lang: Lang) -> Result<Self, Failure> {
        let source = Source { path, text, lang };
        let table = DeTable::parse(text).map_err(|error| source.syntax(&error))?;
        let (mut entries, mut kinds) = (Vec::new(), Vec::new());
        for (name, value) in table.get_ref() {
            if name.get_ref() == KINDS {
                kinds = super::kinds::read(value, &source)?;
                continue;
            }
            let line = source.line_of(name.span().start);
            let (key, is_indirect) = known(name.get_ref()).ok_or_else(|| {
                let names = KEYS.iter().map(|key| key.name).chain([KINDS]);
                source.unknown(name.get_ref(), name.span(), names)
            })?;
            let values = values(key, is_indirect, value.get_ref())
                .map_err(|expected| source.wrong(key.name, expected.plain(lang), value.span()))?;
            entries.push(Entry {
                key,
                values,
                line,
                is_indirect,
            });
        }
        Ok(Self {
            path: path.to_owned(),
            entries,
            kinds,
        })
    }
}

fn known(name: &str) -> Option<(&'static Key, bool)> {
    let indirect = || {
        let key = Key::find(name.strip_suffix("_file")?)?;
        key.may_be_in_a_file().then_some((key, true))
    };
    Key::find(name).map(|key| (key, false)).or_else(indirect)
}

/// The values as text; what was expected when the type is wrong.
fn values(key: &Key, is_indirect: bool, value: &DeValue<'_>) -> Result<Vec<String>, Text> {
    let one = |text: String| Ok(vec![text]);
    match (value, key.shape) {
        (DeValue::String(text), _) => one(text.to_string()),
        (DeValue::Array(items), Shape::List) => items
            .iter()
            .map(|item| {
                item.get_ref()
                    .as_str()
                    .map(str::to_owned)
                    .ok_or(Text::ExpectString)
            })
            .collect(),
        (_, _) if is_indirect => Err(Text::ExpectString),
        (DeValue::Integer(number), Shape::Integer(..) | Shape::Duration) => one(number.to_string()),
        (DeValue::Boolean(flag), Shape::Boolean) => one(flag.to_string()),
        (_, Shape::Boolean) => Err(Text::ExpectBoolean),
        (_, Shape::Duration) => Err(Text::ExpectDuration),
        _ => Err(Text::ExpectString),
    }
}

/// A file's text, for pointing into it.
pub(super) struct Source<'a> {
    path: &'a Path,
    text: &'a str,
    pub(super) lang: Lang,
}

impl Source<'_> {
    fn syntax(&self, error: &toml::de::Error) -> Failure {
        let path = self.path.display();
        let failure = Failure::new(
            Code::InvalidConfiguration,
            self.lang,
            Text::BadSyntax,
            &[("path", &path)],
        );
        failure
            .because(self.pointed(error.span().unwrap_or(0..0), error.message()))
            .with_hint("")
    }

    /// A key that nobody knows, and the known one that was probably meant.
    pub(super) fn unknown<'n>(
        &self,
        name: &str,
        span: Range<usize>,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Failure {
        let meant = nearest(name, known);
        let note = meant.map(|near| Text::DidYouMean.fill(self.lang, &[("nearest", &near)]));
        let path = self.path.display();
        Failure::new(
            Code::UnknownKey,
            self.lang,
            Text::UnknownKey,
            &[("key", &name), ("path", &path)],
        )
        .because(self.pointed(span, note.as_deref().unwrap_or_default()))
        .with_hint(Text::KeysHint.plain(self.lang))
    }

    /// A value that cannot be.
    pub(super) fn wrong(&self, key: &str, expected: &str, span: Range<usize>) -> Failure {
        let value = self.text[span.clone()].lines().next().unwrap_or_default();
        Failure::new(
            Code::InvalidConfiguration,
            self.lang,
            Text::BadValue,
            &[
                ("value", &value.trim_matches('"')),
                ("key", &key),
                ("expected", &expected),
            ],
        )
        .because(self.pointed(span, ""))
        .with_hint("")
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        self.path
    }

    /// The line of a place, from 1.
    pub(super) fn line_of(&self, at: usize) -> usize {
        self.text[..at.min(self.text.len())].matches('\n').count() + 1
    }

    /// The line, and a caret under the place.
    fn pointed(&self, span: Range<usize>, note: &str) -> String {
        let start = span.start.min(self.text.len());
        let line_start = self.text[..start]
            .rfind('\n')
            .map_or(0, |newline| newline + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let before = self.text[line_start..start].chars().count();
        let end = span
            .end
            .clamp(start, line_start + line.len().max(start - line_start));
        let carets = "^".repeat(self.text[start..end].chars().count().max(1));
        let number = format!("{} | ", self.line_of(start));
        let path = self.path.display();
        let column = before + 1;
        let indent = " ".repeat(number.chars().count() + before);
        let pointer = format!("{indent}{carets} {note}");
        let number_of_line = self.line_of(start);
        format!(
            "{path}:{number_of_line}:{column}\n{number}{line}\n{}",
            pointer.trim_end()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<File, Failure> {
        File::parse(Path::new("tareas.toml"), text, Lang::En)
    }

    #[test]
    fn entries_know_their_lines() {
        let file = parse("# hello\nthreads = 4\nbind = [\"127.0.0.1:1\", \"[::1]:2\"]\n").unwrap();
        let found: Vec<_> = file
            .entries
            .iter()
            .map(|entry| (entry.key.name, entry.line))
            .collect();
        assert!(
            found.contains(&("threads", 2)) && found.contains(&("bind", 3)),
            "{found:?}"
        );
    }

    #[test]
    fn an_unknown_key_is_pointed_at_and_the_nearest_is_named() {
        let failure = parse("data = \"x\"\nthread = 4\n").unwrap_err();
        let json = failure.json();
        assert!(
            json.contains("unknown key `thread` in tareas.toml"),
            "{json}"
        );
        assert!(json.contains("TAR-1502"), "{json}");
        assert_eq!(failure.exit_code(), 78);
        let text = format!("{failure:?}");
        assert!(
            text.contains("2 | thread = 4\\n    ^^^^^^ did you mean `threads`?"),
            "{text}"
        );
    }

    #[test]
    fn wrong_types_and_syntax_are_refused() {
        for text in [
            "threads = []",
            "insecure = 1",
            "bind = [1]",
            "data = ",
            "log = 5",
            "[data]",
        ] {
            assert_eq!(parse(text).unwrap_err().exit_code(), 78, "{text}");
        }
    }
}
