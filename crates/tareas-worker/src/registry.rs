//! Which handler runs a kind of task.
//!
//! Three ways to register, one line each: [`Registry::register`] for a typed function,
//! [`Registry::register_async`] for a typed async function, [`Registry::register_raw`] for one
//! that reads and writes JSON text itself. A second registration under one name replaces the
//! first, so a program may replace built-ins.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use smol_str::SmolStr;

use crate::{Context, HandlerError};

type Handler = dyn Fn(&Context, Bytes) -> Result<Bytes, HandlerError> + Send + Sync;

/// What people are told of a kind, and what follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct KindInfo {
    /// The name tasks are submitted under.
    pub name: SmolStr,
    /// One sentence in English.
    pub description: String,
    /// The same sentence in Spanish.
    pub description_es: String,
    /// A whole text line: `square 5`.
    pub example_text: String,
    /// The same as a JSON line: `{"op":"square","n":5}`.
    pub example_json: String,
    /// Whether a failure is retried when the handler does not say (a panic, a plain error).
    pub retryable: bool,
    /// The kind of which this is another name.
    pub alias_of: Option<SmolStr>,
}

impl KindInfo {
    fn new(name: SmolStr) -> Self {
        Self {
            name,
            description: String::new(),
            description_es: String::new(),
            example_text: String::new(),
            example_json: String::new(),
            retryable: true,
            alias_of: None,
        }
    }

    /// Says in English and in Spanish what the kind does.
    pub fn describe(&mut self, english: &str, spanish: &str) -> &mut Self {
        self.description = english.to_owned();
        self.description_es = spanish.to_owned();
        self
    }

    /// Shows a submission as a text line and as a JSON line.
    pub fn example(&mut self, text: &str, json: &str) -> &mut Self {
        self.example_text = text.to_owned();
        self.example_json = json.to_owned();
        self
    }

    /// A failure is final unless the handler asks for another attempt.
    pub fn not_retryable(&mut self) -> &mut Self {
        self.retryable = false;
        self
    }
}

/// The kinds a pool can run.
#[derive(Default)]
pub struct Registry {
    entries: HashMap<SmolStr, Entry>,
    has_async: bool,
}

struct Entry {
    info: KindInfo,
    handler: Arc<Handler>,
}

impl Registry {
    /// A registry without any kind.
    pub fn new() -> Self {
        Self::default()
    }

    /// A registry of the built-in kinds.
    pub fn with_builtins() -> Self {
        let mut registry = Self::new();
        crate::builtin::register_all(&mut registry);
        registry
    }

    /// Registers a function or closure with typed input and output.
    ///
    /// A payload that does not fit the input type is rejected. A text line gives a JSON string;
    /// when that does not fit, the JSON inside the string is tried.
    pub fn register<I, O, E, F>(&mut self, kind: &str, handler: F) -> &mut KindInfo
    where
        I: DeserializeOwned,
        O: Serialize,
        E: Into<HandlerError>,
        F: Fn(&Context, I) -> Result<O, E> + Send + Sync + 'static,
    {
        self.register_raw(kind, move |context, payload| {
            let input = decode(&payload)?;
            encode(&handler(context, input).map_err(Into::into)?)
        })
    }

    /// Registers an async function or closure with typed input and output.
    ///
    /// It runs on a pool thread, one at a time as any other; its timers and sockets belong to
    /// the pool's runtime. When the attempt is asked to end, the future is dropped where it
    /// waits.
    pub fn register_async<I, O, E, F>(&mut self, kind: &str, handler: F) -> &mut KindInfo
    where
        I: DeserializeOwned,
        O: Serialize,
        E: Into<HandlerError>,
        F: AsyncFn(&Context, I) -> Result<O, E> + Send + Sync + 'static,
    {
        self.has_async = true;
        self.register_raw(kind, move |context, payload| {
            let input = decode(&payload)?;
            let future = async { handler(context, input).await.map_err(Into::into) };
            encode(&context.block_on(future)?)
        })
    }

    /// Registers a function from JSON text to JSON text. The result must be valid JSON.
    pub fn register_raw<F>(&mut self, kind: &str, handler: F) -> &mut KindInfo
    where
        F: Fn(&Context, Bytes) -> Result<Bytes, HandlerError> + Send + Sync + 'static,
    {
        let name = SmolStr::new(kind);
        let info = KindInfo::new(name.clone());
        self.insert(
            name,
            Entry {
                info,
                handler: Arc::new(handler),
            },
        )
    }

    /// Lets `kind` run under another name too. Nothing happens when `kind` is not registered.
    pub fn alias(&mut self, alias: &str, kind: &str) {
        let Some(entry) = self.entries.get(kind) else {
            return;
        };
        let handler = entry.handler.clone();
        let info = KindInfo {
            name: alias.into(),
            alias_of: Some(kind.into()),
            example_text: entry.info.example_text.replacen(kind, alias, 1),
            example_json: entry.info.example_json.replacen(kind, alias, 1),
            ..entry.info.clone()
        };
        self.insert(alias.into(), Entry { info, handler });
    }

    fn insert(&mut self, name: SmolStr, entry: Entry) -> &mut KindInfo {
        let place = self.entries.entry(name).insert_entry(entry);
        &mut place.into_mut().info
    }

    /// What is known of all kinds, by name.
    pub fn kinds(&self) -> Vec<&KindInfo> {
        let mut kinds: Vec<_> = self.entries.values().map(|entry| &entry.info).collect();
        kinds.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        kinds
    }

    /// What is known of one kind.
    pub fn kind(&self, name: &str) -> Option<&KindInfo> {
        self.entries.get(name).map(|entry| &entry.info)
    }

    /// Whether any handler needs a runtime.
    pub(crate) fn has_async(&self) -> bool {
        self.has_async
    }

    /// Runs the handler of the context's kind. A panic is an error like any other.
    pub fn run(&self, context: &Context, payload: Bytes) -> Result<Bytes, HandlerError> {
        let entry = self
            .entries
            .get(context.kind())
            .ok_or_else(|| unknown(context.kind()))?;
        // A handler that panics may leave its own shared state half done; that is its own
        // affair, as with threads. Nothing of the pool is touched.
        catch_unwind(AssertUnwindSafe(|| (entry.handler)(context, payload)))
            .unwrap_or_else(|panic| Err(HandlerError::panicked(panic.as_ref())))
            .map_err(|error| error.decided_by_kind(entry.info.retryable))
    }
}

/// Retryable: during a roll-out another pool may have the kind.
fn unknown(kind: &str) -> HandlerError {
    HandlerError::retry(format!("this pool has no handler for \"{kind}\"")).named("unknown_kind")
}

fn decode<I: DeserializeOwned>(payload: &[u8]) -> Result<I, HandlerError> {
    serde_json::from_slice(payload).or_else(|error| {
        let inner = serde_json::from_slice::<String>(payload).ok();
        inner
            .and_then(|text| serde_json::from_str(&text).ok())
            .ok_or_else(|| {
                HandlerError::rejected(format!("the payload does not fit: {error}"))
                    .named("invalid_payload")
            })
    })
}

fn encode<O: Serialize>(output: &O) -> Result<Bytes, HandlerError> {
    serde_json::to_vec(output)
        .map(Bytes::from)
        .map_err(|error| {
            HandlerError::rejected(format!("the result cannot be written as JSON: {error}"))
                .named("invalid_result")
        })
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.kinds().into_iter().map(|kind| kind.name.as_str());
        f.debug_list().entries(names).finish()
    }
}
