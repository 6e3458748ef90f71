//! Instants as PostgreSQL keeps them: exact to the microsecond, without a calendar in between.

use std::error::Error;

use bytes::BytesMut;
use tareas_core::Timestamp;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// Microseconds from 1970 to 2000, where PostgreSQL begins to count.
const TO_2000: i64 = 946_684_800_000_000;
/// The last instant that PostgreSQL can show, counted from 2000; what is later is `infinity`.
const LAST: i64 = 9_223_371_331_200_000_000 - 1;
/// The first one; what is earlier is `-infinity`.
const FIRST: i64 = -211_813_488_000_000_000;

/// An instant in a column of type `timestamptz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instant(pub(super) i64);

impl From<Timestamp> for Instant {
    fn from(at: Timestamp) -> Self {
        Self(at.as_micros())
    }
}

impl From<Instant> for Timestamp {
    fn from(instant: Instant) -> Self {
        Self::from_micros(instant.0)
    }
}

impl Instant {
    /// As PostgreSQL counts.
    pub(super) fn stored(self) -> i64 {
        match self.0.saturating_sub(TO_2000) {
            late if late > LAST => i64::MAX,
            early if early < FIRST => i64::MIN,
            between => between,
        }
    }
}

impl ToSql for Instant {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.stored().to_be_bytes());
        Ok(IsNull::No)
    }

    fn accepts(column: &Type) -> bool {
        *column == Type::TIMESTAMPTZ
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Instant {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let stored = i64::from_be_bytes(raw.try_into()?);
        Ok(Self(match stored {
            i64::MAX | i64::MIN => stored,
            between => between.saturating_add(TO_2000),
        }))
    }

    fn accepts(column: &Type) -> bool {
        *column == Type::TIMESTAMPTZ
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_come_back() {
        for micros in [0, -1, 1_800_000_000_000_001, i64::MAX, i64::MIN] {
            let mut raw = BytesMut::new();
            Instant(micros)
                .to_sql(&Type::TIMESTAMPTZ, &mut raw)
                .unwrap();
            let back = Instant::from_sql(&Type::TIMESTAMPTZ, &raw).unwrap();
            assert_eq!(back, Instant(micros));
        }
    }
}
