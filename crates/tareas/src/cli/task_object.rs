//! A task object as the server wrote it: members by name, values kept as their JSON text.
//!
//! Nothing is read that need not be: a number of ten thousand digits stays as it is.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use tareas_protocol::Lang;

use crate::output::Failure;

/// The members of one JSON object.
#[derive(Debug)]
pub(super) struct Members(BTreeMap<String, Box<RawValue>>);

impl Members {
    /// Reads an object.
    pub(super) fn read(json: &str, lang: Lang) -> Result<Self, Failure> {
        serde_json::from_str(json)
            .map(Self)
            .map_err(|_| not_understood(json, lang))
    }

    /// The objects of the array that is the member `name`.
    pub(super) fn objects(&self, name: &str) -> Vec<Self> {
        let array = self
            .raw(name)
            .and_then(|json| serde_json::from_str(json).ok());
        let objects: Vec<BTreeMap<String, Box<RawValue>>> = array.unwrap_or_default();
        objects.into_iter().map(Self).collect()
    }

    /// The object that is the member `name`.
    pub(super) fn object(&self, name: &str) -> Option<Self> {
        self.raw(name)
            .and_then(|json| serde_json::from_str(json).ok())
            .map(Self)
    }

    /// The object as JSON again.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// The JSON text of a member.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|value| value.get())
            .filter(|json| *json != "null")
    }

    /// A member for a person: a string without its quotes, anything else as JSON.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let raw = self.raw(name)?;
        Some(serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned()))
    }

    /// The same, empty when there is none.
    pub(super) fn shown(&self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }
}

/// The failure for an answer that is not what it should be.
pub(super) fn not_understood(what: &str, lang: Lang) -> Failure {
    let what = what.chars().take(120).collect();
    Failure::of(tareas_client::Error::Malformed { what }, lang)
}
