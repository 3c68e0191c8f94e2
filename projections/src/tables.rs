//! Where the tables of a projection are.

use std::borrow::Cow;
use std::fmt;

use sqlx::PgConnection;

use crate::ProjectionId;

/// What a statement calls the schema that it is about.
const PLACEHOLDER: &str = "{schema}";

/// A schema with the tables of a projection: the live one, which has its name, or a shadow schema in which
/// it is rebuilt.
///
/// Statements name it `{schema}`: [`Schema::sql`] is the one place that knows which one they mean. (Some still
/// name the schema of the projection's name, `search_3.`, and mean this one, too.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    projection: ProjectionId,
    name: String,
}

impl Schema {
    /// The live schema, which has the projection's name: what readers read.
    #[must_use]
    pub fn of(projection: ProjectionId) -> Self {
        Self { projection, name: projection.to_string() }
    }

    /// A shadow schema: `search_3_building`.
    pub(crate) fn shadow(projection: ProjectionId, suffix: &str) -> Self {
        Self { projection, name: format!("{projection}_{suffix}") }
    }

    /// The same schema, for statements that are written for another version of the projection: one that
    /// has more columns can be written as before.
    #[must_use]
    pub fn for_statements_of(&self, projection: ProjectionId) -> Self {
        Self { projection, name: self.name.clone() }
    }

    /// The statement, about this schema.
    #[must_use]
    pub fn sql<'s>(&self, statement: &'s str) -> Cow<'s, str> {
        if statement.contains(PLACEHOLDER) {
            return Cow::Owned(statement.replace(PLACEHOLDER, &self.name));
        }
        let written_for = self.projection.to_string();
        if self.name == written_for {
            return Cow::Borrowed(statement);
        }
        Cow::Owned(statement.replace(&format!("{written_for}."), &format!("{}.", self.name)))
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
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
    pub fn sql<'s>(&self, statement: &'s str) -> Cow<'s, str> {
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

    const SEARCH: ProjectionId = ProjectionId { name: "search", version: 3 };

    #[test]
    fn a_statement_is_about_the_schema_that_it_is_asked_of() {
        let statement = "SELECT FROM search_3.appointments JOIN search_30.appointments";
        assert_eq!(Schema::of(SEARCH).sql(statement), statement);
        assert_eq!(
            Schema::shadow(SEARCH, "building").sql(statement),
            "SELECT FROM search_3_building.appointments JOIN search_30.appointments"
        );
        let statement = "SELECT FROM {schema}.one JOIN {schema}.other";
        assert_eq!(
            Schema::of(SEARCH).sql(statement),
            "SELECT FROM search_3.one JOIN search_3.other"
        );
    }
}
