//! Rows in the form in which COPY takes them: `FORMAT binary`.

use daybook_domain::TenantId;
use sqlx::PgConnection;

use super::table::Table;
use super::value::{Elements, Shape, array_header};
use crate::{ApplyError, Schema};

/// What a binary COPY begins with: the signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Instead of a row's number of columns: there are no more.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// Rows of some tables.
#[derive(Debug, Default)]
pub struct CopyRows {
    tables: Vec<OfTable>,
}

#[derive(Debug)]
struct OfTable {
    table: &'static str,
    /// `{schema}.table (columns)`.
    target: String,
    bytes: Vec<u8>,
}

impl CopyRows {
    /// Adds a row.
    ///
    /// # Errors
    /// When a value has no form in PostgreSQL.
    pub(crate) fn add<R>(
        &mut self,
        table: &Table<R>,
        tenant: &TenantId,
        row: &R,
    ) -> Result<(), ApplyError> {
        let found = self.tables.iter().position(|it| it.table == table.name);
        let n = found.unwrap_or_else(|| {
            let target = format!("{{schema}}.{} (tenant_id, {})", table.name, table.names());
            self.tables.push(OfTable { table: table.name, target, bytes: HEADER.to_vec() });
            self.tables.len() - 1
        });
        write(table, tenant, row, &mut self.tables[n].bytes)
            .map_err(|error| ApplyError::Database(sqlx::Error::Encode(error)))
    }

    /// Sends them all.
    pub(crate) async fn send(
        self,
        connection: &mut PgConnection,
        schema: &Schema,
    ) -> Result<(), sqlx::Error> {
        for OfTable { target, mut bytes, .. } in self.tables {
            bytes.extend_from_slice(&TRAILER);
            let statement = format!("COPY {} FROM STDIN (FORMAT binary)", schema.sql(&target));
            let mut copy = connection.copy_in_raw(&statement).await?;
            copy.send(bytes).await?;
            copy.finish().await?;
        }
        Ok(())
    }
}

fn write<R>(
    table: &Table<R>,
    tenant: &TenantId,
    row: &R,
    bytes: &mut Vec<u8>,
) -> Result<(), sqlx::error::BoxDynError> {
    let columns = i16::try_from(table.columns.len() + 1)?;
    bytes.extend_from_slice(&columns.to_be_bytes());
    let mut elements = Elements::default();
    elements.push(&tenant.as_str())?;
    bytes.extend_from_slice(elements.as_bytes());
    for column in &table.columns {
        elements.clear();
        column.push(row, &mut elements)?;
        let of_column = elements.as_bytes();
        if column.shape == Shape::Array {
            let header = array_header(column.of, elements.count());
            let length = i32::try_from(header.len() + of_column.len())?;
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(&header);
        }
        bytes.extend_from_slice(of_column);
    }
    Ok(())
}
