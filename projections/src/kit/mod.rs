//! The kit that read models are made of: a table is a value, and the rest follows from it.
//!
//! ```text
//! static VISITS: LazyLock<Table<Visit>> = LazyLock::new(|| {
//!     Table::new("visits", [
//!         Column::field("appointment_id", |row: &Visit| &row.appointment_id).key(),
//!         Column::value("start_at", |row| row.during.start()),
//!         Column::field("tags", |row| &row.tags),
//!     ])
//! });
//! ```
//!
//! From it follow the set-based statements of a batch ([`Table::load`], [`Table::insert`], [`Table::upsert`],
//! [`Table::update`]), the rows of a rebuild ([`CopyRows::add`]), the list of a `SELECT` ([`Table::names`]), and a
//! test that compares its columns and its key with those in the database ([`TableSpec`]). A column's type is that
//! of its getter: see [`PgValue`](value::PgValue), which each type of the domain has once, and [`column`], which
//! reads it back.
//!
//! All other statements are declared with [`statement!`], which makes a test of its own for each: the
//! statement is prepared by a real database. They name their schema `{schema}`, and
//! [`Schema::sql`](crate::Schema::sql) is the one place that knows which that is.

pub(crate) mod copy;
pub(crate) mod read;
pub(crate) mod statement;
pub(crate) mod table;
#[cfg(test)]
mod tests;
pub(crate) mod value;

pub use copy::CopyRows;
pub(crate) use read::column;
pub(crate) use statement::{Statement, statement};
pub use table::TableSpec;
pub(crate) use table::{Column, OnConflict, Table};
pub(crate) use value::Json;
