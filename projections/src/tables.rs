//! Where the tables of a projection are.

use std::fmt;

use sqlx::PgConnection;

use crate::ProjectionId;

/// What a statement calls the schema that it is about.
const PLACEHOLDER: &str = "{schema}";

/// A schema with the tables of a projection: the live one, which has its name, or a shadow schema in which
/// it is rebuilt.
///
/// Statements name it `{schema}`: [`Schema::sql`] is the one place that knows which one they mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema(String);

impl Schema {
    /// The live schema, which has the projection's name: what readers read.
    #[must_use]
    pub fn of(projection: ProjectionId) -> Self {
        Self(projection.to_string())
    }

    /// A shadow schema: `appointments_1_building`.
    pub(crate) fn shadow(projection: ProjectionId, what: &str) -> Self {
        Self(format!("{projection}_{what}"))
    }

    /// The statement, about this schema.
    #[must_use]
    pub fn sql(&self, statement: &str) -> String {
        statement.replace(PLACEHOLDER, &self.0)
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The tables of a projection, on a connection.
#[derive(Debug)]
pub struct Tables<'c> {
    connection: &'c mut PgConnection,
    schema: &'c Schema,
}

impl<'c> Tables<'c> {
    /// Those in this schema.
    pub const fn new(connection: &'c mut PgConnection, schema: &'c Schema) -> Self {
        Self { connection, schema }
    }

    /// The statement, about the schema that they are in.
    #[must_use]
    pub fn sql(&self, statement: &str) -> String {
        self.schema.sql(statement)
    }

    /// The schema that they are in.
    #[must_use]
    pub const fn schema(&self) -> &Schema {
        self.schema
    }

    /// Where statements are run.
    pub const fn connection(&mut self) -> &mut PgConnection {
        self.connection
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_about_the_schema_that_it_is_asked_of() {
        let projection = ProjectionId { name: "things", version: 3 };
        let statement = "SELECT FROM {schema}.one JOIN {schema}.other";
        assert_eq!(
            Schema::of(projection).sql(statement),
            "SELECT FROM things_3.one JOIN things_3.other"
        );
        assert_eq!(
            Schema::shadow(projection, "building").sql(statement),
            "SELECT FROM things_3_building.one JOIN things_3_building.other"
        );
    }
}
