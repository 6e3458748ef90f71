//! Many rows as one value of a statement: an array of a composite type, as PostgreSQL reads it.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{IsNull, Kind, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use super::instant::Instant;

/// What an absent value is written as, instead of a length.
const ABSENT: i32 = -1;

/// An array begins with so many words: dimensions, whether there are NULLs, the type, and the
/// length and first index of its dimension.
const HEAD_WORDS: usize = 5;
/// Each of them, and the length of each value, in bytes.
const WORD: usize = size_of::<i32>();

/// Rows of one composite type. They are written as they come, field after field, in the order of
/// the type.
#[derive(Debug, Default)]
pub(super) struct Rows {
    count: i32,
    bytes: Vec<u8>,
}

/// One row that is being written.
pub(super) struct Fields<'a> {
    bytes: &'a mut Vec<u8>,
    count: i32,
}

/// What a small row takes with its lengths and types: room for so much is made at once.
const ROW_BYTES: usize = 200;

impl Rows {
    /// No rows yet, and room for some.
    pub(super) fn with_room(rows: usize) -> Self {
        Self {
            count: 0,
            bytes: Vec::with_capacity(rows * ROW_BYTES),
        }
    }

    /// Adds a row: all its fields, in order.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Fields<'_>)) {
        let start = self.bytes.len();
        let (count_at, first) = (start + size_of::<i32>(), start + 2 * size_of::<i32>());
        self.bytes.extend([0; 2 * size_of::<i32>()]);
        let mut fields = Fields {
            bytes: &mut self.bytes,
            count: 0,
        };
        write(&mut fields);
        let count = fields.count;
        let length = (self.bytes.len() - count_at) as i32;
        self.bytes[start..count_at].copy_from_slice(&length.to_be_bytes());
        self.bytes[count_at..first].copy_from_slice(&count.to_be_bytes());
        self.count += 1;
    }
}

/// The types of fields, by the numbers that PostgreSQL has given them for good.
mod types {
    pub(super) const BOOL: u32 = 16;
    pub(super) const BYTEA: u32 = 17;
    pub(super) const INT8: u32 = 20;
    pub(super) const INT2: u32 = 21;
    pub(super) const INT4: u32 = 23;
    pub(super) const TEXT: u32 = 25;
    pub(super) const TIMESTAMPTZ: u32 = 1184;
    pub(super) const UUID: u32 = 2950;
    pub(super) const UUID_ARRAY: u32 = 2951;
}

impl Fields<'_> {
    pub(super) fn uuid(&mut self, value: Option<Uuid>) {
        self.fixed(types::UUID, value.map(Uuid::into_bytes));
    }

    pub(super) fn int2(&mut self, value: Option<i16>) {
        self.fixed(types::INT2, value.map(i16::to_be_bytes));
    }

    pub(super) fn int4(&mut self, value: i32) {
        self.fixed(types::INT4, Some(value.to_be_bytes()));
    }

    pub(super) fn int8(&mut self, value: Option<i64>) {
        self.fixed(types::INT8, value.map(i64::to_be_bytes));
    }

    pub(super) fn bool(&mut self, value: bool) {
        self.fixed(types::BOOL, Some([u8::from(value)]));
    }

    pub(super) fn instant(&mut self, value: Option<Instant>) {
        let stored = value.map(|at| at.stored().to_be_bytes());
        self.fixed(types::TIMESTAMPTZ, stored);
    }

    pub(super) fn text(&mut self, value: Option<&str>) {
        self.any(types::TEXT, value.map(str::as_bytes));
    }

    pub(super) fn bytes(&mut self, value: Option<&[u8]>) {
        self.any(types::BYTEA, value);
    }

    /// Some ids, at least one.
    pub(super) fn uuids(&mut self, values: &[Uuid]) {
        let (dimensions, has_nulls, first) = (1, 0, 1);
        let size = (HEAD_WORDS + values.len()) * WORD + size_of_val(values);
        self.head(types::UUID_ARRAY, size as i32);
        self.bytes.put_i32(dimensions);
        self.bytes.put_i32(has_nulls);
        self.bytes.put_u32(types::UUID);
        self.bytes.put_i32(values.len() as i32);
        self.bytes.put_i32(first);
        for value in values {
            self.bytes.put_i32(size_of::<Uuid>() as i32);
            self.bytes.extend_from_slice(value.as_bytes());
        }
    }

    /// A length that is known here costs no call to copy.
    fn fixed<const N: usize>(&mut self, of: u32, value: Option<[u8; N]>) {
        let length = value.map_or(ABSENT, |_| N as i32);
        self.head(of, length);
        if let Some(value) = value {
            self.bytes.extend_from_slice(&value);
        }
    }

    fn any(&mut self, of: u32, value: Option<&[u8]>) {
        // A round is bounded far below what a length can say.
        let length = value.map_or(ABSENT, |value| value.len() as i32);
        self.head(of, length);
        self.bytes.extend_from_slice(value.unwrap_or_default());
    }

    fn head(&mut self, of: u32, length: i32) {
        self.bytes.extend_from_slice(&of.to_be_bytes());
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.count += 1;
    }
}

impl ToSql for Rows {
    fn to_sql(
        &self,
        array: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Kind::Array(row) = array.kind() else {
            return Err("rows go into an array".into());
        };
        let dimensions = i32::from(self.count > 0);
        let has_nulls = 0;
        out.put_i32(dimensions);
        out.put_i32(has_nulls);
        out.put_u32(row.oid());
        if self.count > 0 {
            let first = 1;
            out.put_i32(self.count);
            out.put_i32(first);
            out.put_slice(&self.bytes);
        }
        Ok(IsNull::No)
    }

    fn accepts(array: &Type) -> bool {
        matches!(array.kind(), Kind::Array(row) if matches!(row.kind(), Kind::Composite(_)))
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_numbers_of_the_driver() {
        let numbers = [
            (types::BOOL, Type::BOOL),
            (types::BYTEA, Type::BYTEA),
            (types::INT8, Type::INT8),
            (types::INT2, Type::INT2),
            (types::INT4, Type::INT4),
            (types::TEXT, Type::TEXT),
            (types::TIMESTAMPTZ, Type::TIMESTAMPTZ),
            (types::UUID, Type::UUID),
            (types::UUID_ARRAY, Type::UUID_ARRAY),
        ];
        for (number, of) in numbers {
            assert_eq!(number, of.oid(), "{of}");
        }
    }
}
