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
    bytes: BytesMut,
}

/// One row that is being written.
pub(super) struct Fields<'a> {
    bytes: &'a mut BytesMut,
    count: i32,
}

/// What a small row takes with its lengths and types: room for so much is made at once.
const ROW_BYTES: usize = 200;

impl Rows {
    /// No rows yet, and room for some.
    pub(super) fn with_room(rows: usize) -> Self {
        Self {
            count: 0,
            bytes: BytesMut::with_capacity(rows * ROW_BYTES),
        }
    }

    /// Adds a row: all its fields, in order.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Fields<'_>)) {
        let start = self.bytes.len();
        self.bytes.put_i32(0);
        self.bytes.put_i32(0);
        let mut fields = Fields {
            bytes: &mut self.bytes,
            count: 0,
        };
        write(&mut fields);
        let count = fields.count;
        let length = (self.bytes.len() - start - size_of::<i32>()) as i32;
        (&mut self.bytes[start..]).put_i32(length);
        (&mut self.bytes[start + size_of::<i32>()..]).put_i32(count);
        self.count += 1;
    }
}

impl Fields<'_> {
    pub(super) fn uuid(&mut self, value: Option<Uuid>) {
        self.field(&Type::UUID, value.as_ref().map(Uuid::as_bytes));
    }

    pub(super) fn int2(&mut self, value: Option<i16>) {
        self.field(&Type::INT2, value.map(i16::to_be_bytes));
    }

    pub(super) fn int4(&mut self, value: i32) {
        self.field(&Type::INT4, Some(value.to_be_bytes()));
    }

    pub(super) fn int8(&mut self, value: Option<i64>) {
        self.field(&Type::INT8, value.map(i64::to_be_bytes));
    }

    pub(super) fn bool(&mut self, value: bool) {
        self.field(&Type::BOOL, Some([u8::from(value)]));
    }

    pub(super) fn instant(&mut self, value: Option<Instant>) {
        let stored = value.map(|at| at.stored().to_be_bytes());
        self.field(&Type::TIMESTAMPTZ, stored);
    }

    pub(super) fn text(&mut self, value: Option<&str>) {
        self.field(&Type::TEXT, value);
    }

    pub(super) fn bytes(&mut self, value: Option<&[u8]>) {
        self.field(&Type::BYTEA, value);
    }

    /// Some ids, at least one.
    pub(super) fn uuids(&mut self, values: &[Uuid]) {
        let (dimensions, has_nulls, first) = (1, 0, 1);
        let size = (HEAD_WORDS + values.len()) * WORD + size_of_val(values);
        self.bytes.put_u32(Type::UUID_ARRAY.oid());
        self.bytes.put_i32(size as i32);
        self.bytes.put_i32(dimensions);
        self.bytes.put_i32(has_nulls);
        self.bytes.put_u32(Type::UUID.oid());
        self.bytes.put_i32(values.len() as i32);
        self.bytes.put_i32(first);
        for value in values {
            self.bytes.put_i32(size_of::<Uuid>() as i32);
            self.bytes.put_slice(value.as_bytes());
        }
        self.count += 1;
    }

    fn field(&mut self, of: &Type, value: Option<impl AsRef<[u8]>>) {
        self.bytes.put_u32(of.oid());
        match value {
            Some(value) => {
                // A round is bounded far below what a length can say.
                self.bytes.put_i32(value.as_ref().len() as i32);
                self.bytes.put_slice(value.as_ref());
            }
            None => self.bytes.put_i32(ABSENT),
        }
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
