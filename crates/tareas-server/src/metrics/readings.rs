//! Numbers of what is behind the ports, which the engine does not know: told as they are read.

use std::fmt;

/// Name of the reading that is 1 while nothing is accepted because there is no room to store it.
/// The dashboard warns of it.
pub const STORAGE_FULL: &str = "tareas_store_full";

/// One number at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Name of the metric, `tareas_…`; it ends in the unit when there is one.
    pub name: &'static str,
    /// What it says, one sentence.
    pub help: &'static str,
    /// `seconds` or `bytes`, when it is not a count.
    pub unit: Option<&'static str>,
    /// A counter, else a gauge.
    pub only_grows: bool,
    /// The number.
    pub value: f64,
}

/// Whoever puts the system together knows what is behind the ports. Reading must be cheap: no
/// input or output, no waiting.
pub trait Readings: fmt::Debug + Send + Sync {
    /// The numbers now, each name once.
    fn read(&self) -> Vec<Reading>;
}

/// Nothing to tell.
#[derive(Clone, Copy, Debug)]
pub struct NoReadings;

impl Readings for NoReadings {
    fn read(&self) -> Vec<Reading> {
        Vec::new()
    }
}
