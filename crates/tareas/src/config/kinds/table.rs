//! Reading `[kinds.NAME]`: every key, what it may be, and where it is wrong.

use std::time::Duration;

use tareas_core::limits::{MAX_ATTEMPTS_CAP, TIMEOUT_CAP};
use tareas_core::{Kind, QueueName, RetryPolicy};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::sandbox::sandbox;
use super::{KindConfig, SchemaSource, value};
use crate::config::file::Source;
use crate::output::Failure;
use crate::text::Text;

/// Every key of a kind.
const KEYS: [&str; 18] = [
    "command",
    "mode",
    "timeout",
    "concurrency",
    "memory_max",
    "cpu_max",
    "max_output",
    "stop_grace",
    "recycle",
    "env",
    "cwd",
    "user",
    "sandbox",
    "retry",
    "queue",
    "description",
    "example",
    "schema",
];
const MODES: [&str; 2] = ["oneshot", "persistent"];
/// The supervisor needs some address space as well.
const MEMORY_MIN: u64 = 64_000_000;
const OUTPUT_MIN: u64 = 1;
/// The pool gives up on a thread after five seconds; by then the process must be gone, or the next
/// attempt could meet it.
const STOP_GRACE_MAX: Duration = Duration::from_secs(4);
/// More processes of one kind than this are a mistake.
const CONCURRENCY_MAX: u64 = 1_024;

pub(super) type Read = Result<(), Failure>;

/// Reads the table of kinds.
pub(in crate::config) fn read(
    kinds: &Spanned<DeValue<'_>>,
    source: &Source<'_>,
) -> Result<Vec<KindConfig>, Failure> {
    let mut read = Vec::new();
    for (name, value) in table("kinds", kinds, source)? {
        if Kind::new(name.get_ref()).is_err() {
            return Err(wrong("kinds", Text::ExpectKind, name.span(), source));
        }
        let mut kind = KindConfig {
            name: name.get_ref().to_string(),
            place: (source.path().to_owned(), source.line_of(name.span().start)),
            ..KindConfig::default()
        };
        for (key, value) in table(name.get_ref(), value, source)? {
            set(&mut kind, key, value, source)?;
        }
        if kind.command.is_empty() {
            let key = format!("kinds.{}", kind.name);
            return Err(wrong(&key, Text::ExpectCommand, name.span(), source));
        }
        read.push(kind);
    }
    Ok(read)
}

fn set(
    kind: &mut KindConfig,
    key: &Spanned<std::borrow::Cow<'_, str>>,
    spanned: &Spanned<DeValue<'_>>,
    source: &Source<'_>,
) -> Read {
    let (name, value) = (key.get_ref().as_ref(), spanned.get_ref());
    let field = Field {
        name,
        spanned,
        source,
    };
    match name {
        "command" => {
            let command = value::texts(value).filter(|words| !words.is_empty());
            kind.command = field.or(command, Text::ExpectStrings)?;
        }
        "mode" => kind.is_persistent = field.word(&MODES)? == "persistent",
        "timeout" => {
            let timeout = value::duration(value).filter(|timeout| *timeout <= TIMEOUT_CAP);
            kind.timeout = Some(field.or(timeout, Text::ExpectDuration)?);
        }
        "cpu_max" => kind.cpu_max = Some(field.duration()?),
        "stop_grace" => {
            let grace = value::duration(value).filter(|grace| *grace <= STOP_GRACE_MAX);
            kind.stop_grace = Some(field.or(grace, Text::ExpectStopGrace)?);
        }
        "concurrency" => {
            let most = usize::try_from(field.integer(1, CONCURRENCY_MAX)?);
            kind.concurrency = most.ok();
        }
        "memory_max" => kind.memory_max = Some(field.size(MEMORY_MIN)?),
        "max_output" => kind.max_output = Some(field.size(OUTPUT_MIN)?),
        "recycle" => recycle(kind, &field)?,
        "retry" => kind.retry = Some(retry(&field)?),
        "env" => env(kind, &field)?,
        "cwd" => kind.cwd = Some(field.text()?),
        "user" => kind.user = Some(field.text()?),
        "sandbox" => sandbox(&mut kind.sandbox, &field)?,
        "queue" => {
            let queue = value::text(value).and_then(|name| QueueName::new(&name).ok());
            kind.queue = Some(field.or(queue, Text::ExpectKind)?);
        }
        "description" => kind.description = field.text()?,
        "example" => kind.example = field.text()?,
        "schema" => {
            let schema = match value {
                DeValue::String(path) => Some(SchemaSource::File(path.to_string())),
                DeValue::Table(_) => value::json(value).map(SchemaSource::Inline),
                _ => None,
            };
            kind.schema = Some(field.or(schema, Text::ExpectSchema)?);
        }
        _ => return Err(source.unknown(name, key.span(), KEYS)),
    }
    Ok(())
}

fn recycle(kind: &mut KindConfig, field: &Field<'_>) -> Read {
    for (key, spanned) in table(field.name, field.spanned, field.source)? {
        let inner = Field {
            name: key.get_ref(),
            spanned,
            source: field.source,
        };
        match inner.name {
            "tasks" => kind.recycle_tasks = Some(inner.integer(1, u64::MAX)?),
            "memory" => kind.recycle_memory = Some(inner.size(1)?),
            other => return Err(field.source.unknown(other, key.span(), ["tasks", "memory"])),
        }
    }
    Ok(())
}

fn retry(field: &Field<'_>) -> Result<RetryPolicy, Failure> {
    let mut policy = RetryPolicy::default();
    for (key, spanned) in table(field.name, field.spanned, field.source)? {
        let inner = Field {
            name: key.get_ref(),
            spanned,
            source: field.source,
        };
        match inner.name {
            "attempts" => {
                let attempts = inner.integer(1, MAX_ATTEMPTS_CAP.into())?;
                policy.max_attempts = u32::try_from(attempts).unwrap_or(MAX_ATTEMPTS_CAP);
            }
            "backoff" => policy.backoff.initial = inner.duration()?,
            "backoff_max" => policy.backoff.max = inner.duration()?,
            other => {
                let known = ["attempts", "backoff", "backoff_max"];
                return Err(field.source.unknown(other, key.span(), known));
            }
        }
    }
    Ok(policy)
}

fn env(kind: &mut KindConfig, field: &Field<'_>) -> Read {
    for (name, value) in table(field.name, field.spanned, field.source)? {
        let key = name.get_ref();
        let is_fine = !key.is_empty() && !key.contains(['=', '\0']) && !key.starts_with("TAREAS_");
        if !is_fine {
            let expected = Text::ExpectVariable;
            return Err(wrong(field.name, expected, name.span(), field.source));
        }
        let inner = Field {
            name: key,
            spanned: value,
            source: field.source,
        };
        kind.env.insert(key.to_string(), inner.text()?);
    }
    Ok(())
}

/// One key and its value, to be read as what it should be.
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) spanned: &'a Spanned<DeValue<'a>>,
    pub(super) source: &'a Source<'a>,
}

impl Field<'_> {
    pub(super) fn or<T>(&self, value: Option<T>, expected: Text) -> Result<T, Failure> {
        value.ok_or_else(|| wrong(self.name, expected, self.spanned.span(), self.source))
    }

    fn or_said<T>(&self, value: Option<T>, expected: &str) -> Result<T, Failure> {
        let span = self.spanned.span();
        value.ok_or_else(|| self.source.wrong(self.name, expected, span))
    }

    fn text(&self) -> Result<String, Failure> {
        self.or(value::text(self.spanned.get_ref()), Text::ExpectString)
    }

    fn duration(&self) -> Result<std::time::Duration, Failure> {
        let duration = value::duration(self.spanned.get_ref());
        self.or(duration, Text::ExpectDuration)
    }

    pub(super) fn flag(&self) -> Result<bool, Failure> {
        let flag = match self.spanned.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => None,
        };
        self.or(flag, Text::ExpectFlag)
    }

    fn integer(&self, min: u64, max: u64) -> Result<u64, Failure> {
        let expected = Text::ExpectInteger.fill(self.source.lang, &[("min", &min), ("max", &max)]);
        self.or_said(value::integer(self.spanned.get_ref(), min..=max), &expected)
    }

    fn size(&self, min: u64) -> Result<u64, Failure> {
        let expected = Text::ExpectSize.fill(self.source.lang, &[("min", &min)]);
        let size = value::size(self.spanned.get_ref()).filter(|size| *size >= min);
        self.or_said(size, &expected)
    }

    pub(super) fn word(&self, words: &[&'static str]) -> Result<&'static str, Failure> {
        let list = words.join(", ");
        let expected = Text::ExpectWord.fill(self.source.lang, &[("words", &list)]);
        let said = self.spanned.get_ref().as_str();
        let found = words.iter().find(|word| Some(**word) == said).copied();
        self.or_said(found, &expected)
    }
}

pub(super) fn table<'v, 'd>(
    name: &str,
    value: &'v Spanned<DeValue<'d>>,
    source: &Source<'_>,
) -> Result<&'v DeTable<'d>, Failure> {
    match value.get_ref() {
        DeValue::Table(table) => Ok(table),
        _ => Err(wrong(name, Text::ExpectTable, value.span(), source)),
    }
}

fn wrong(key: &str, expected: Text, span: std::ops::Range<usize>, source: &Source<'_>) -> Failure {
    source.wrong(key, expected.plain(source.lang), span)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tareas_protocol::Lang;
    use tareas_worker::command::SandboxMode;

    use super::*;
    use crate::config::file::File;

    fn kinds(text: &str) -> Result<Vec<KindConfig>, Failure> {
        File::parse(Path::new("tareas.toml"), text, Lang::En).map(|file| file.kinds)
    }

    #[test]
    fn every_key_is_read() {
        let text = r#"
            [kinds.resize]
            command = ["python3", "resize.py"]
            mode = "persistent"
            timeout = "30s"
            concurrency = 2
            memory_max = "512MB"
            cpu_max = 10
            max_output = "2MB"
            stop_grace = "1s"
            recycle = { tasks = 1000, memory = "256MB" }
            env = { MODE = "fast" }
            cwd = "images"
            user = "nobody"
            sandbox = { mode = "strict", read = ["fonts"], write = ["out"], required = true }
            retry = { attempts = 3, backoff = "2s", backoff_max = "1m" }
            queue = "images"
            description = "Resizes an image"
            example = 'resize {"width":4}'
            schema = { type = "object", required = ["width"] }
        "#;
        let read = kinds(text).unwrap();
        let kind = &read[0];
        assert_eq!((kind.name.as_str(), kind.command.len()), ("resize", 2));
        assert!(kind.is_persistent && kind.concurrency == Some(2));
        assert_eq!(kind.timeout, Some(Duration::from_secs(30)));
        assert_eq!(kind.cpu_max, Some(Duration::from_secs(10)));
        assert_eq!(kind.memory_max, Some(512_000_000));
        assert_eq!(kind.recycle_tasks, Some(1000));
        assert_eq!(kind.env["MODE"], "fast");
        assert_eq!(kind.retry.unwrap().max_attempts, 3);
        assert_eq!(kind.sandbox.mode, Some(SandboxMode::Strict));
        assert_eq!(kind.sandbox.read, ["fonts"]);
        assert!(kind.sandbox.write == ["out"] && kind.sandbox.is_required);
        assert!(matches!(&kind.schema, Some(SchemaSource::Inline(s)) if s["type"] == "object"));
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let command = "[kinds.resize]\ncommand = [\"true\"]\n";
        let unknown = kinds(&format!("{command}timeuot = \"3s\"\n")).unwrap_err();
        let said = format!("{unknown:?}");
        assert!(said.contains("did you mean `timeout`?"), "{said}");
        assert!(said.contains("3 | timeuot"), "{said}");
        for wrong in [
            "kinds = 5".to_owned(),
            "[kinds.\"a b\"]\ncommand = [\"true\"]".to_owned(),
            "[kinds.resize]\ntimeout = \"3s\"".to_owned(),
            "[kinds.resize]\ncommand = \"true\"".to_owned(),
            format!("{command}mode = \"forever\""),
            format!("{command}memory_max = \"1MB\""),
            format!("{command}timeout = 0"),
            format!("{command}stop_grace = \"5s\""),
            format!("{command}env = {{ TAREAS_X = \"1\" }}"),
            format!("{command}retry = {{ attempt = 1 }}"),
            format!("{command}schema = 5"),
            format!("{command}sandbox = \"tight\""),
            format!("{command}sandbox = {{ paths = [] }}"),
            format!("{command}sandbox = {{ required = \"yes\" }}"),
        ] {
            assert_eq!(kinds(&wrong).unwrap_err().exit_code(), 78, "{wrong}");
        }
    }
}
