//! What a page looks for, as values of a statement.

use std::time::Duration;

use tareas_core::limits::{ID_WINDOW_FUTURE, ID_WINDOW_PAST};
use tareas_core::{TaskId, Timestamp};
use tareas_engine::filter::{Filter, Span};
use tareas_engine::ports::TaskQuery;
use uuid::Uuid;

use super::instant::Instant;
use super::link::Value;

/// What an id's own time is exact to.
const MILLISECOND: Duration = Duration::from_millis(1);

/// The ids between which a page looks: the first excluded, the second included.
pub(super) struct Range {
    /// No id of the page is as high.
    pub(super) below: Uuid,
    /// None is lower.
    pub(super) lowest: Uuid,
}

impl Range {
    /// Where the page begins and how far it could go at most. An id is a little older or younger
    /// than the acceptance of its task: as much as an id of a client may be.
    pub(super) fn of(query: &TaskQuery) -> Self {
        let Filter { submitted, ids, .. } = &query.filter;
        let first_of = |at: Timestamp| TaskId::v7(at, 0).as_u128();
        let oldest = submitted.from.map(|at| first_of(at - ID_WINDOW_PAST));
        let newest = submitted
            .to
            .map(|at| first_of(at + ID_WINDOW_FUTURE + MILLISECOND));
        let bounds = [
            query.cursor.map(|cursor| cursor.0),
            newest,
            ids.to.map(|id| id.saturating_add(1)),
        ];
        let below = bounds.into_iter().flatten().min().unwrap_or(u128::MAX);
        let lowest = oldest.max(ids.from).unwrap_or_default();
        Self {
            below: Uuid::from_u128(below),
            lowest: Uuid::from_u128(lowest),
        }
    }
}

/// The conditions of a filter, as values of a statement.
pub(super) struct Wanted {
    states: Option<Vec<i16>>,
    reasons: Option<Vec<i16>>,
    queues: Option<Vec<String>>,
    other_queues: Vec<String>,
    kinds: Option<Vec<String>>,
    other_kinds: Vec<String>,
    priority: (i16, i16),
    attempt: (i64, i64),
    since: Option<Instant>,
    until: Option<Instant>,
    ended_from: Option<Instant>,
    limit: i64,
}

impl Wanted {
    /// The values of a page of so many tasks.
    pub(super) fn of(filter: &Filter, limit: usize) -> Self {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let level = |n: u8| i16::from(n);
        let Span { from, to } = filter.priority;
        let priority = (from.map_or(0, level), to.map_or(i16::MAX, level));
        let Span { from, to } = filter.attempt;
        let attempt = (from.map_or(0, number), to.map_or(i64::MAX, number));
        let states = filter.phases.iter().map(|phase| *phase as i16).collect();
        let reasons = filter.reasons.iter().map(|reason| *reason as i16).collect();
        Self {
            states: unless_empty(states),
            reasons: unless_empty(reasons),
            queues: unless_empty(texts(&filter.queues.any)),
            other_queues: texts(&filter.queues.none),
            kinds: unless_empty(texts(&filter.kinds.any)),
            other_kinds: texts(&filter.kinds.none),
            priority,
            attempt,
            since: filter.submitted.from.map(Instant::from),
            until: filter.submitted.to.map(Instant::from),
            ended_from: filter.ended_from.map(Instant::from),
            limit: limit as i64,
        }
    }

    /// In the order of the statement's numbers.
    pub(super) fn values<'a>(&'a self, below: &'a Uuid, lowest: &'a Uuid) -> [Value<'a>; 16] {
        [
            below,
            lowest,
            &self.states,
            &self.reasons,
            &self.queues,
            &self.other_queues,
            &self.kinds,
            &self.other_kinds,
            &self.priority.0,
            &self.priority.1,
            &self.attempt.0,
            &self.attempt.1,
            &self.since,
            &self.until,
            &self.ended_from,
            &self.limit,
        ]
    }
}

fn texts<T: ToString>(names: &[T]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn unless_empty<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}
