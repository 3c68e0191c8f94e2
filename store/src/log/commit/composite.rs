//! Rows of composite types as arguments of a statement: one array of rows, and not one array for each
//! column. What sqlx derives for such a type, without its macros.

use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::types::{Oid, PgRecordEncoder};
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo};
use sqlx::{Postgres, Type};

/// A row of a composite type.
pub(super) trait Composite {
    /// The type's name in the database.
    const TYPE: &'static str;

    /// Encodes its attributes, in the order of the type.
    fn attributes(&self, row: &mut PgRecordEncoder<'_>) -> Result<(), BoxDynError>;
}

/// Such a row, to be encoded.
pub(super) struct Row<T>(pub(super) T);

impl<T: Composite> Type<Postgres> for Row<T> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name(T::TYPE)
    }
}

impl<T: Composite> PgHasArrayType for Row<T> {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::array_of(T::TYPE)
    }
}

impl<T: Composite> Encode<'_, Postgres> for Row<T> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let mut row = PgRecordEncoder::new(buffer);
        self.0.attributes(&mut row)?;
        row.finish();
        Ok(IsNull::No)
    }
}

/// A text that is JSON already.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonText<'a>(pub(super) &'a str);

impl Type<Postgres> for JsonText<'_> {
    fn type_info() -> PgTypeInfo {
        // `json`, and not the `jsonb` that sqlx takes JSON for; the number is PostgreSQL's own.
        PgTypeInfo::with_oid(Oid(114))
    }
}

impl Encode<'_, Postgres> for JsonText<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}
