//! The conditions of a filter as SQL: columns compared with bound values. No text of a filter
//! ever becomes part of a statement.

use rusqlite::types::Value;
use tareas_engine::filter::{Filter, Names, Span};

/// Conditions that hold together, and the values they are filled with.
#[derive(Debug)]
pub(super) struct Conditions {
    /// ` AND …` for each of them.
    pub(super) sql: String,
    /// In the order of their numbers.
    pub(super) values: Vec<Value>,
}

impl Conditions {
    /// The conditions of a filter, after values that a statement has of its own.
    pub(super) fn of(filter: &Filter, values: Vec<Value>) -> Self {
        let mut conditions = Self {
            sql: String::new(),
            values,
        };
        let phases = filter.phases.iter().map(|phase| Value::from(*phase as i64));
        conditions.list("state", "IN", phases.collect());
        let reasons = filter
            .reasons
            .iter()
            .map(|reason| Value::from(*reason as i64));
        conditions.list("reason", "IN", reasons.collect());
        conditions.names("queue", &filter.queues);
        conditions.names("kind", &filter.kinds);
        conditions.span("priority", filter.priority, i64::from);
        conditions.span("attempt", filter.attempt, |n| {
            i64::try_from(n).unwrap_or(i64::MAX)
        });
        conditions.span("submitted_at", filter.submitted, |at| at.as_micros());
        let ended = Span {
            from: filter.ended_from,
            to: None,
        };
        conditions.span("finished_at", ended, |at| at.as_micros());
        conditions.span("id", filter.ids, |id: u128| id.to_be_bytes().to_vec());
        conditions
    }

    fn names<T: ToString>(&mut self, column: &str, names: &Names<T>) {
        let texts = |names: &[T]| {
            names
                .iter()
                .map(|name| Value::Text(name.to_string()))
                .collect()
        };
        self.list(column, "IN", texts(&names.any));
        self.list(column, "NOT IN", texts(&names.none));
    }

    fn list(&mut self, column: &str, within: &str, values: Vec<Value>) {
        if values.is_empty() {
            return;
        }
        let numbers: Vec<String> = values.into_iter().map(|value| self.bind(value)).collect();
        let list = numbers.join(",");
        self.sql
            .push_str(&format!(" AND t.{column} {within} ({list})"));
    }

    fn span<T: Copy, V: Into<Value>>(&mut self, column: &str, span: Span<T>, of: impl Fn(T) -> V) {
        for (bound, sign) in [(span.from, ">="), (span.to, "<=")] {
            if let Some(bound) = bound {
                let number = self.bind(of(bound).into());
                self.sql
                    .push_str(&format!(" AND t.{column} {sign} {number}"));
            }
        }
    }

    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }
}

#[cfg(test)]
mod tests {
    use tareas_core::{Phase, QueueName};

    use super::*;

    #[test]
    fn values_are_bound_and_never_written() {
        let filter = Filter {
            phases: vec![Phase::Failed],
            queues: Names {
                any: vec![QueueName::new("a").unwrap(), QueueName::new("b").unwrap()],
                none: vec![QueueName::new("c").unwrap()],
            },
            priority: Span {
                from: Some(2),
                to: None,
            },
            ..Filter::default()
        };
        let conditions = Conditions::of(&filter, vec![Value::Null]);
        assert_eq!(
            conditions.sql,
            " AND t.state IN (?2) AND t.queue IN (?3,?4) AND t.queue NOT IN (?5) AND t.priority >= ?6"
        );
        assert_eq!(conditions.values.len(), 6);
    }
}
