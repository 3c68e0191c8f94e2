//! A look behind the program's back: what is in its database.

use daybook_embedded_postgres::Opened;
use sqlx::postgres::PgRow;
use sqlx::{Connection as _, PgConnection};
use tokio::runtime::Runtime;

/// A connection to a database.
pub(crate) struct Sql {
    // Dropped in this order: the cluster goes when nobody is connected.
    connection: PgConnection,
    runtime: Runtime,
    _cluster: Option<Opened>,
}

impl Sql {
    pub(crate) fn connect(url: &str, cluster: Option<Opened>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connection = runtime.block_on(PgConnection::connect(url)).unwrap();
        Self { connection, runtime, _cluster: cluster }
    }

    /// `None`: there is no room for another connection.
    pub(crate) fn try_connect(url: &str) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connection = runtime.block_on(PgConnection::connect(url)).ok()?;
        Some(Self { connection, runtime, _cluster: None })
    }

    /// Runs these statements; none of them has parameters.
    pub(crate) fn run(&mut self, statements: &str) {
        let ran = sqlx::raw_sql(statements).execute(&mut self.connection);
        self.runtime.block_on(ran).unwrap_or_else(|error| panic!("{error}: {statements}"));
    }

    /// Runs a statement; where it is refused, the SQLSTATE.
    pub(crate) fn try_run(&mut self, statement: &str) -> Result<(), String> {
        let ran = sqlx::raw_sql(statement).execute(&mut self.connection);
        let refused = self.runtime.block_on(ran).map(|_| ());
        refused.map_err(|error| {
            let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
            code.unwrap_or_else(|| panic!("{error}: {statement}")).into_owned()
        })
    }

    /// Changes what a statement finds, and says in how many rows; `$1` is the tenant.
    pub(crate) fn change(&mut self, statement: &str, tenant: &str) -> u64 {
        let ran = sqlx::query(statement).bind(tenant).execute(&mut self.connection);
        let done = self.runtime.block_on(ran);
        done.unwrap_or_else(|error| panic!("{error}: {statement}")).rows_affected()
    }

    /// The rows of a query; `$1` is the tenant.
    pub(crate) fn rows(&mut self, query: &str, tenant: &str) -> Vec<PgRow> {
        let rows = sqlx::query(query).bind(tenant).fetch_all(&mut self.connection);
        self.runtime.block_on(rows).unwrap_or_else(|error| panic!("{error}: {query}"))
    }

    /// The rows of a query that come after a number; `$1` is the tenant, `$2` the number.
    pub(crate) fn rows_after(&mut self, query: &str, tenant: &str, after: i64) -> Vec<PgRow> {
        let rows = sqlx::query(query).bind(tenant).bind(after).fetch_all(&mut self.connection);
        self.runtime.block_on(rows).unwrap_or_else(|error| panic!("{error}: {query}"))
    }

    /// The one number that a query finds; `$1` is the tenant.
    pub(crate) fn number(&mut self, query: &str, tenant: &str) -> i64 {
        let number = sqlx::query_scalar(query).bind(tenant).fetch_one(&mut self.connection);
        self.runtime.block_on(number).unwrap_or_else(|error| panic!("{error}: {query}"))
    }
}
