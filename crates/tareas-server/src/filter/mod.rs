//! The filter language: one for the API, the command line and the pages.
//!
//! `state:failed kind:resize since:1h error:"no such file"`: conditions that hold together. A list
//! (`state:failed,cancelled`) means any of its values, a `-` before a condition that it must not
//! hold. Times that are relative are fixed when the filter is read. What a filter means is
//! [`tareas_engine::filter`]; nothing of its text ever becomes part of a statement.

mod values;
mod words;
mod wrong;

use smol_str::SmolStr;
use tareas_core::{Cause, Kind, Phase, QueueName, Reason, SessionId, Timestamp};
use tareas_engine::Engine;
use tareas_engine::filter::{Filter, Names, Span, WentWrong};
use tareas_protocol::Code;
use tareas_protocol::nearest::nearest;

pub(crate) use words::{Word, Words};
pub(crate) use wrong::Wrong;

use wrong::Fault;

/// Most values that one condition names.
const VALUES_MAX: usize = 64;
/// The pool of the server itself, as a worker.
pub(crate) const OWN_POOL: &str = "local";
/// Before the name of an entry of the metadata.
const METADATA: &str = "meta.";

/// A condition that a filter may have.
#[derive(Debug)]
pub(crate) struct Condition {
    /// Before the colon.
    pub(crate) name: &'static str,
    /// A value that it takes.
    pub(crate) example: &'static str,
    /// What it asks, in English and in Spanish.
    pub(crate) about: [&'static str; 2],
    /// Whether a `-` before it means that it must not hold.
    pub(crate) may_be_negated: bool,
}

const fn list(name: &'static str, example: &'static str, about: [&'static str; 2]) -> Condition {
    let may_be_negated = true;
    Condition {
        name,
        example,
        about,
        may_be_negated,
    }
}

const fn plain(name: &'static str, example: &'static str, about: [&'static str; 2]) -> Condition {
    let may_be_negated = false;
    Condition {
        name,
        example,
        about,
        may_be_negated,
    }
}

/// Every condition.
pub(crate) const CONDITIONS: [Condition; 17] = [
    list(
        "state",
        "failed,cancelled",
        ["where they stand", "en qué estado están"],
    ),
    list("kind", "resize", ["of which kinds", "de qué tipos"]),
    list("queue", "mail,default", ["in which queues", "en qué colas"]),
    list(
        "reason",
        "timeout",
        [
            "why they failed or were cancelled",
            "por qué fallaron o se cancelaron",
        ],
    ),
    plain("priority", ">=7", ["of which priority", "de qué prioridad"]),
    plain(
        "attempt",
        ">1",
        [
            "how many attempts have begun",
            "cuántos intentos han empezado",
        ],
    ),
    plain(
        "since",
        "1h",
        [
            "accepted since then, or so long ago",
            "aceptadas desde entonces, o hace tanto",
        ],
    ),
    plain(
        "until",
        "2026-11-21",
        [
            "accepted until then, or so long ago",
            "aceptadas hasta entonces, o hace tanto",
        ],
    ),
    plain(
        "age",
        ">10m",
        [
            "how long ago they were accepted",
            "hace cuánto se aceptaron",
        ],
    ),
    plain(
        "id",
        "0190a0a0",
        ["how their ids begin", "cómo empiezan sus ids"],
    ),
    plain(
        "wait",
        ">1m",
        [
            "how long they waited for their start",
            "cuánto esperaron a empezar",
        ],
    ),
    plain(
        "run",
        ">5s",
        ["how long they have run", "cuánto llevan o duraron"],
    ),
    plain(
        "error",
        "TAR-3002",
        [
            "a code, or words of what went wrong",
            "un código, o palabras de lo que falló",
        ],
    ),
    plain(
        "worker",
        "w1",
        [
            "which worker runs them now",
            "qué trabajador las ejecuta ahora",
        ],
    ),
    plain(
        "label",
        "gpu",
        ["a label that they require", "una etiqueta que exigen"],
    ),
    plain(
        "key",
        "order-991",
        ["their idempotency key", "su clave de idempotencia"],
    ),
    plain(
        "meta.NAME",
        "green",
        ["an entry of their metadata", "una entrada de sus metadatos"],
    ),
];

/// What a filter is read against.
struct Around<'a> {
    /// What relative times count from.
    now: Timestamp,
    /// The sessions of workers of a name.
    sessions: &'a dyn Fn(&str) -> Vec<SessionId>,
}

/// The meaning of the words of a filter, at this moment.
pub(crate) fn meaning(words: &Words, engine: &Engine) -> Result<Filter, Wrong> {
    let around = Around {
        now: engine.now(),
        sessions: &|name| sessions_of(engine, name),
    };
    read(words, &around)
}

fn read(words: &Words, around: &Around<'_>) -> Result<Filter, Wrong> {
    let mut filter = Filter::default();
    for word in words.iter() {
        let condition = condition_of(word)?;
        if word.is_negated && !condition.may_be_negated {
            return Err(Wrong::at(word.at, Fault::Negated(condition.name)));
        }
        add(&mut filter, word, condition, around)?;
    }
    Ok(filter)
}

fn condition_of(word: &Word) -> Result<&'static Condition, Wrong> {
    let name = match word.name.strip_prefix(METADATA) {
        Some(entry) if !entry.is_empty() => "meta.NAME",
        _ => word.name.as_str(),
    };
    let known = CONDITIONS.iter().find(|condition| condition.name == name);
    known.ok_or_else(|| {
        let near = nearest(name, CONDITIONS.iter().map(|condition| condition.name));
        Wrong::at(word.at, Fault::Condition(word.name.clone(), near))
    })
}

fn add(
    filter: &mut Filter,
    word: &Word,
    condition: &'static Condition,
    around: &Around<'_>,
) -> Result<(), Wrong> {
    let wrong = |fault| Wrong::at(word.at, fault);
    let not_understood = || wrong(Fault::Value(word.value.clone(), condition.example));
    let is_twice = || wrong(Fault::Twice(condition.name));
    let details = &mut filter.details;
    match condition.name {
        "state" => return add_phases(&mut filter.phases, word),
        "reason" => return add_reasons(&mut filter.reasons, word),
        "kind" => return add_names(&mut filter.kinds, word, "kind", |name| Kind::new(name).ok()),
        "queue" => {
            return add_names(&mut filter.queues, word, "queue", |name| {
                QueueName::new(name).ok()
            });
        }
        "priority" => {
            let span = values::numbers(&word.value).ok_or_else(not_understood)?;
            let level = |n: u64| u8::try_from(n).unwrap_or(u8::MAX);
            let (from, to) = (span.from.map(level), span.to.map(level));
            filter.priority = filter.priority.and(Span { from, to });
        }
        "attempt" => {
            let span = values::numbers(&word.value).ok_or_else(not_understood)?;
            filter.attempt = filter.attempt.and(span);
        }
        "since" | "until" | "age" => {
            let span = accepted(condition.name, &word.value, around.now);
            filter.submitted = filter.submitted.and(span.ok_or_else(not_understood)?);
        }
        "id" => {
            let span = values::ids(&word.value).ok_or_else(not_understood)?;
            filter.ids = filter.ids.and(span);
        }
        "wait" => {
            let span = values::durations(&word.value).ok_or_else(not_understood)?;
            details.waited = details.waited.and(span);
        }
        "run" => {
            let span = values::durations(&word.value).ok_or_else(not_understood)?;
            details.ran = details.ran.and(span);
        }
        "error" => return add_error(filter, word).ok_or_else(not_understood),
        "worker" => {
            if details.sessions.is_some() {
                return Err(is_twice());
            }
            details.sessions = Some((around.sessions)(&word.value));
            if filter.phases.is_empty() {
                filter.phases = vec![Phase::Running];
            }
        }
        "label" => details.labels.push(SmolStr::new(&word.value)),
        "key" if details.key.is_some() => return Err(is_twice()),
        "key" => details.key = Some(SmolStr::new(&word.value)),
        _ => {
            let name = word.name.trim_start_matches(METADATA).to_owned();
            details.metadata.push((name, word.value.clone()));
        }
    }
    Ok(())
}

fn accepted(name: &str, value: &str, now: Timestamp) -> Option<Span<Timestamp>> {
    let (from, to) = match name {
        "since" => (Some(values::moment(value, now)?), None),
        "until" => (None, Some(values::moment(value, now)?)),
        _ => {
            let age = values::durations(value)?;
            (age.to.map(|age| now - age), age.from.map(|age| now - age))
        }
    };
    Some(Span { from, to })
}

/// A code is a matter of its nature, anything else of its words.
fn add_error(filter: &mut Filter, word: &Word) -> Option<()> {
    let details = &mut filter.details;
    if !word.value.to_ascii_uppercase().starts_with("TAR-") {
        details.errors.push(word.value.to_lowercase());
        return Some(()).filter(|()| !word.value.is_empty());
    }
    let (reasons, causes) = match Code::parse(&word.value)? {
        Code::HandlerFailed => (vec![Reason::AttemptsExhausted], vec![Cause::Handler]),
        Code::AttemptsExhausted => (vec![Reason::AttemptsExhausted], Vec::new()),
        Code::Timeout => (vec![Reason::Timeout], vec![Cause::Timeout]),
        Code::Poison => (vec![Reason::Poison], vec![Cause::Crash]),
        Code::Rejected => (vec![Reason::Rejected], vec![Cause::Rejected]),
        Code::Expired => (vec![Reason::Expired], Vec::new()),
        Code::Cancelled => (vec![Reason::Requested], Vec::new()),
        _ => return None,
    };
    details.went_wrong = Some(WentWrong { reasons, causes });
    Some(())
}

fn add_phases(phases: &mut Vec<Phase>, word: &Word) -> Result<(), Wrong> {
    let named = each(word, Phase::from_name, &Phase::ALL.map(Phase::name))?;
    let is_wanted = |phase: &Phase| named.contains(phase) != word.is_negated;
    let wanted: Vec<Phase> = Phase::ALL.into_iter().filter(is_wanted).collect();
    set_once(phases, wanted, word, "state")
}

fn add_reasons(reasons: &mut Vec<Reason>, word: &Word) -> Result<(), Wrong> {
    let by_name = |name: &str| Reason::ALL.into_iter().find(|reason| reason.name() == name);
    let named = each(word, by_name, &Reason::ALL.map(Reason::name))?;
    let is_wanted = |reason: &Reason| named.contains(reason) != word.is_negated;
    let wanted = Reason::ALL.into_iter().filter(is_wanted).collect();
    set_once(reasons, wanted, word, "reason")
}

fn add_names<T: PartialEq>(
    names: &mut Names<T>,
    word: &Word,
    condition: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<(), Wrong> {
    let not_a_name = |name: &str| Wrong::at(word.at, Fault::Name(name.to_owned()));
    let named = listed(word)?
        .map(|name| parse(name).ok_or_else(|| not_a_name(name)))
        .collect::<Result<Vec<T>, Wrong>>()?;
    match word.is_negated {
        true => names.none.extend(named),
        false => set_once(&mut names.any, named, word, condition)?,
    }
    Ok(())
}

fn each<T>(
    word: &Word,
    parse: impl Fn(&str) -> Option<T>,
    known: &[&'static str],
) -> Result<Vec<T>, Wrong> {
    let unknown = |name: &str| {
        let near = nearest(name, known.iter().copied());
        Wrong::at(word.at, Fault::Unknown(name.to_owned(), near))
    };
    listed(word)?
        .map(|name| parse(name).ok_or_else(|| unknown(name)))
        .collect()
}

/// The values of a list.
fn listed(word: &Word) -> Result<impl Iterator<Item = &str>, Wrong> {
    match word.value.split(',').count() {
        ..=VALUES_MAX => Ok(word.value.split(',')),
        _ => Err(Wrong::at(word.at, Fault::TooManyValues)),
    }
}

/// Two lists of one condition cannot both hold, unless they are the same.
fn set_once<T: PartialEq>(
    slot: &mut Vec<T>,
    wanted: Vec<T>,
    word: &Word,
    condition: &'static str,
) -> Result<(), Wrong> {
    if !slot.is_empty() && *slot != wanted {
        return Err(Wrong::at(word.at, Fault::Twice(condition)));
    }
    *slot = wanted;
    Ok(())
}

/// The sessions of workers of this name; none when nobody is called so.
fn sessions_of(engine: &Engine, name: &str) -> Vec<SessionId> {
    if name == OWN_POOL {
        return vec![engine.session()];
    }
    let workers = engine.workers().into_iter();
    let called = workers.filter(|worker| worker.name == name);
    let session = |hex: String| u64::from_str_radix(&hex, 16).ok().map(SessionId);
    called
        .filter_map(|worker| session(worker.session))
        .collect()
}

#[cfg(test)]
mod tests;
