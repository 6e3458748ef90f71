//! The layers laid over one another: for every key the value that wins, and its origin.

use std::path::Path;

use tareas_protocol::{Code, Lang};

use super::duration::parse_duration;
use super::file::{Entry, File};
use super::key::{KEYS, Key, Shape};
use super::kinds::KindConfig;
use crate::output::Failure;
use crate::text::Text;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody said anything.
    Default,
    /// A line of a file.
    File {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
    },
    /// A variable.
    Env(String),
    /// A flag.
    Flag(String),
}

impl Origin {
    /// The origin in words.
    pub(crate) fn spoken(&self, lang: Lang) -> String {
        match self {
            Self::Default => Text::OriginDefault.plain(lang).to_owned(),
            Self::File { path, line } => {
                Text::OriginFile.fill(lang, &[("path", path), ("line", line)])
            }
            Self::Env(name) => Text::OriginEnv.fill(lang, &[("name", name)]),
            Self::Flag(name) => Text::OriginFlag.fill(lang, &[("name", name)]),
        }
    }
}

/// The value of one key.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// The key.
    pub(crate) key: &'static Key,
    /// Its values; one unless the key is a list.
    pub(crate) values: Vec<String>,
    /// Where they came from.
    pub(crate) origin: Origin,
}

impl Setting {
    /// Whether nobody has said anything.
    pub(crate) fn is_default(&self) -> bool {
        self.origin == Origin::Default
    }
}

/// What flags say: name of the key, values. Empty values say nothing.
pub(crate) type Flags = Vec<(&'static str, Vec<String>)>;

/// One value for every key.
#[derive(Debug)]
pub(crate) struct Configuration {
    /// In the order of the keys.
    pub(crate) settings: Vec<Setting>,
    /// The file that was read.
    pub(crate) file: Option<String>,
    /// The kinds of that file that are commands.
    pub(crate) kinds: Vec<KindConfig>,
    lang: Lang,
}

impl Configuration {
    /// Lays flags over the environment over the file over the defaults.
    pub(crate) fn load(
        flags: &Flags,
        env: impl Fn(&str) -> Option<String>,
        named_file: Option<&Path>,
        lang: Lang,
    ) -> Result<Self, Failure> {
        let file = File::find(named_file, lang)?;
        let settings = KEYS
            .iter()
            .map(|key| Self::setting(key, flags, &env, file.as_ref(), lang))
            .collect::<Result<_, _>>()?;
        let (file, kinds) = file.map_or((None, Vec::new()), |file| {
            (Some(file.path.display().to_string()), file.kinds)
        });
        Ok(Self {
            settings,
            file,
            kinds,
            lang,
        })
    }

    fn setting(
        key: &'static Key,
        flags: &Flags,
        env: impl Fn(&str) -> Option<String>,
        file: Option<&File>,
        lang: Lang,
    ) -> Result<Setting, Failure> {
        let flag = flags
            .iter()
            .find(|(name, values)| *name == key.name && !values.is_empty());
        if let Some((_, values)) = flag {
            let origin = Origin::Flag(key.flag());
            return Ok(Setting {
                key,
                values: values.clone(),
                origin,
            });
        }
        if let Some(setting) = from_env(key, &env, lang)? {
            return Ok(setting);
        }
        if let Some(setting) = file.and_then(|file| from_file(key, file, lang).transpose()) {
            return setting;
        }
        Ok(Setting {
            key,
            values: vec![default_of(key)],
            origin: Origin::Default,
        })
    }

    /// The setting of a key of the table.
    pub(crate) fn setting_of(&self, name: &str) -> &Setting {
        let found = self
            .settings
            .iter()
            .find(|setting| setting.key.name == name);
        found.expect("every name that is asked for is in the table of keys")
    }

    /// The one value of a key, as text.
    pub(crate) fn text(&self, name: &str) -> Result<&str, Failure> {
        let setting = self.setting_of(name);
        match setting.values.as_slice() {
            [value] => Ok(value),
            _ => Err(self.wrong(setting, Text::ExpectOne.plain(self.lang))),
        }
    }

    /// All values of a key.
    pub(crate) fn list(&self, name: &str) -> &[String] {
        &self.setting_of(name).values
    }

    /// The value of a key of whole numbers.
    pub(crate) fn integer(&self, name: &str) -> Result<u64, Failure> {
        let setting = self.setting_of(name);
        let Shape::Integer(min, max) = setting.key.shape else {
            return Ok(0);
        };
        let number = self
            .text(name)?
            .parse()
            .ok()
            .filter(|number| (min..=max).contains(number));
        number.ok_or_else(|| {
            let expected = Text::ExpectInteger.fill(self.lang, &[("min", &min), ("max", &max)]);
            self.wrong(setting, &expected)
        })
    }

    /// The value of a switch.
    pub(crate) fn boolean(&self, name: &str) -> Result<bool, Failure> {
        match self.text(name)? {
            "true" | "1" | "yes" => Ok(true),
            "false" | "0" | "no" | "" => Ok(false),
            _ => Err(self.wrong(self.setting_of(name), Text::ExpectBoolean.plain(self.lang))),
        }
    }

    /// The value of a duration.
    pub(crate) fn duration(&self, name: &str) -> Result<std::time::Duration, Failure> {
        let text = Text::ExpectDuration.plain(self.lang);
        parse_duration(self.text(name)?).ok_or_else(|| self.wrong(self.setting_of(name), text))
    }

    /// The value of a key that has a few words.
    pub(crate) fn word(&self, name: &str) -> Result<&'static str, Failure> {
        let setting = self.setting_of(name);
        let Shape::Word(words) = setting.key.shape else {
            return Ok("");
        };
        let text = self.text(name)?;
        words
            .iter()
            .copied()
            .find(|word| *word == text)
            .ok_or_else(|| {
                let expected = Text::ExpectWord.fill(self.lang, &[("words", &words.join(", "))]);
                self.wrong(setting, &expected)
            })
    }

    /// The failure for a value that cannot be: says where it was set.
    pub(crate) fn wrong(&self, setting: &Setting, expected: &str) -> Failure {
        let value = setting.values.join(", ");
        let origin = setting.origin.spoken(self.lang);
        Failure::new(
            Code::InvalidConfiguration,
            self.lang,
            Text::BadValue,
            &[
                ("value", &super::store::masked(&value)),
                ("key", &setting.key.name),
                ("expected", &expected),
            ],
        )
        .because(Text::SetBy.fill(self.lang, &[("origin", &origin)]))
        .with_hint(Text::FixOrigin.plain(self.lang))
    }
}

fn default_of(key: &Key) -> String {
    match key.default {
        "cores" => std::thread::available_parallelism()
            .map_or(1, usize::from)
            .to_string(),
        default => default.to_owned(),
    }
}

fn from_env(
    key: &'static Key,
    env: impl Fn(&str) -> Option<String>,
    lang: Lang,
) -> Result<Option<Setting>, Failure> {
    let name = key.variable();
    if let Some(value) = env(&name).filter(|value| !value.is_empty()) {
        let values = match key.shape {
            Shape::List => value
                .split(',')
                .map(|part| part.trim().to_owned())
                .collect(),
            _ => vec![value],
        };
        return Ok(Some(Setting {
            key,
            values,
            origin: Origin::Env(name),
        }));
    }
    let name = format!("{name}_FILE");
    match env(&name).filter(|path| key.may_be_in_a_file() && !path.is_empty()) {
        Some(path) => {
            let values = vec![content_of(&path, lang)?];
            Ok(Some(Setting {
                key,
                values,
                origin: Origin::Env(name),
            }))
        }
        None => Ok(None),
    }
}

fn from_file(key: &'static Key, file: &File, lang: Lang) -> Result<Option<Setting>, Failure> {
    let of_key = |entry: &&Entry| entry.key.name == key.name;
    let Some(entry) = file.entries.iter().find(of_key) else {
        return Ok(None);
    };
    let values = match (entry.is_indirect, entry.values.first()) {
        (true, Some(path)) => vec![content_of(path, lang)?],
        _ => entry.values.clone(),
    };
    let origin = Origin::File {
        path: file.path.display().to_string(),
        line: entry.line,
    };
    Ok(Some(Setting {
        key,
        values,
        origin,
    }))
}

/// The first line of a file that holds a value.
fn content_of(path: &str, lang: Lang) -> Result<String, Failure> {
    let content = std::fs::read_to_string(path).map_err(|error| {
        let code = Code::InvalidConfiguration;
        Failure::new(code, lang, Text::CannotRead, &[("path", &path)])
            .because(crate::output::spoken(&error, lang))
            .with_hint("")
    })?;
    Ok(content.lines().next().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn load(flags: &Flags, env: &[(&str, &str)], text: &str) -> Result<Configuration, Failure> {
        let file = file(text);
        let find = |name: &str| {
            env.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Configuration::load(flags, find, Some(file.path()), Lang::En)
    }

    #[test]
    fn flag_over_environment_over_file_over_default() {
        let text = "threads = 2\ndata = \"a\"\ndurability = \"os\"\n";
        let env = [("TAREAS_THREADS", "3"), ("TAREAS_DATA", "b")];
        let flags = vec![("threads", vec!["4".to_owned()])];
        let configuration = load(&flags, &env, text).unwrap();
        assert_eq!(configuration.integer("threads").unwrap(), 4);
        assert_eq!(configuration.text("data").unwrap(), "b");
        assert_eq!(configuration.word("durability").unwrap(), "os");
        assert_eq!(configuration.text("queue").unwrap(), "memory:");
        let origin = |name: &str| configuration.setting_of(name).origin.clone();
        assert_eq!(origin("threads"), Origin::Flag("--threads".into()));
        assert_eq!(origin("data"), Origin::Env("TAREAS_DATA".into()));
        assert!(matches!(origin("durability"), Origin::File { line: 3, .. }));
        assert_eq!(origin("queue"), Origin::Default);
    }

    #[test]
    fn urls_may_be_read_from_a_file() {
        let secret = file("amqp://u:p@h/v\n");
        let path = secret.path().display().to_string();
        let by_env = load(&Vec::new(), &[("TAREAS_QUEUE_FILE", &path)], "").unwrap();
        assert_eq!(by_env.text("queue").unwrap(), "amqp://u:p@h/v");
        let by_key = load(&Vec::new(), &[], &format!("queue_file = {path:?}")).unwrap();
        assert_eq!(by_key.text("queue").unwrap(), "amqp://u:p@h/v");
        assert!(
            load(&Vec::new(), &[], "data_file = \"x\"").is_err(),
            "only secrets and URLs"
        );
    }

    #[test]
    fn a_wrong_value_names_its_origin() {
        let configuration = load(&Vec::new(), &[("TAREAS_THREADS", "many")], "").unwrap();
        let failure = configuration.integer("threads").unwrap_err();
        let text = format!("{failure:?}");
        assert!(text.contains("it was set by env TAREAS_THREADS"), "{text}");
        assert_eq!(failure.exit_code(), 78);
    }
}
