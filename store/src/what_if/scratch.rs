//! A copy of the log's tables, empty, in a schema of its own.
//!
//! A connection to it has that schema alone in its search path: what is not there is not found, so
//! nothing that works on it can touch a live table, whatever statement it sends.

use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::{Connection as _, PgConnection, PgPool, Row};

use crate::database::Primary;

/// What the names of such schemas begin with.
const PREFIX: &str = "daybook_what_if_";

/// Those that nobody has the lock of: whoever made them was killed. It is looked who has it, and not tried
/// to take it, so that a program that begins at this moment is not in the way of a look.
const ORPHANS: &str = "
    SELECT n.nspname::text FROM pg_namespace n
     WHERE n.nspname ~ ('^' || $1 || '[0-9]+_[0-9]+$')
       AND NOT EXISTS (
           SELECT FROM pg_locks l
            WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
              AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND ((l.classid::bigint << 32) | l.objid::bigint)
                  = hashtextextended(n.nspname::text, 0))
     ORDER BY 1";

/// A schema to try things in, and the connection that says that somebody is using it.
pub(super) struct Scratch {
    schema: String,
    keeper: PgConnection,
    primary: Primary,
}

impl Scratch {
    /// Makes one, and drops those that were left behind by programs that were killed.
    pub(super) async fn make(primary: &Primary) -> Result<Self, sqlx::Error> {
        let mut keeper = PgConnection::connect_with(&primary.owners_options()).await?;
        drop_orphans(&mut keeper).await?;
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let schema = format!("{PREFIX}{seconds}_{}", std::process::id());
        // Held as long as this connection lives, also when nobody is left to close it.
        sqlx::query("SELECT pg_advisory_lock(hashtextextended($1, 0))")
            .bind(&schema)
            .execute(&mut keeper)
            .await?;
        let settings = [("search_path", schema.as_str()), ("synchronous_commit", "off")];
        let primary = primary.fixed_with(&settings);
        let scratch = Self { schema, keeper, primary };
        scratch.fill().await
    }

    /// Like the live tables in all but what is in them, and not kept through a crash.
    async fn fill(mut self) -> Result<Self, sqlx::Error> {
        let schema = &self.schema;
        let mut tx = self.keeper.begin().await?;
        let comment = "A replay by other rules; left behind if no daybook replay is running";
        let make = format!("CREATE SCHEMA {schema}; COMMENT ON SCHEMA {schema} IS '{comment}'");
        sqlx::raw_sql(&make).execute(&mut *tx).await?;
        let tables = sqlx::query(
            "SELECT format('CREATE UNLOGGED TABLE %I.%I (LIKE %I.%I INCLUDING ALL)',
                           $1, c.relname, n.nspname, c.relname) AS statement
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind = 'r' AND n.nspname = current_schema()",
        )
        .bind(schema)
        .fetch_all(&mut *tx)
        .await?;
        let types = sqlx::query(
            "SELECT format('CREATE TYPE %I.%I AS (%s)', $1, c.relname,
                           (SELECT string_agg(format('%I %s', a.attname,
                                                     format_type(a.atttypid, a.atttypmod)),
                                              ', ' ORDER BY a.attnum)
                              FROM pg_attribute a
                             WHERE a.attrelid = c.oid AND NOT a.attisdropped)) AS statement
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind = 'c' AND n.nspname = current_schema()",
        )
        .bind(schema)
        .fetch_all(&mut *tx)
        .await?;
        // Its own functions, and not those of extensions, which are in their own place.
        let functions = sqlx::query(
            "SELECT replace(pg_get_functiondef(p.oid),
                            format('FUNCTION %I.%I(', n.nspname, p.proname),
                            format('FUNCTION %I.%I(', $1, p.proname)) AS statement
               FROM pg_proc p
               JOIN pg_namespace n ON n.oid = p.pronamespace
               JOIN pg_language l ON l.oid = p.prolang
              WHERE n.nspname = current_schema() AND l.lanname IN ('plpgsql', 'sql')
                AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')",
        )
        .bind(schema)
        .fetch_all(&mut *tx)
        .await?;
        // So that the functions are over its own types.
        sqlx::query(
            "SELECT set_config('search_path', $1 || ',' || current_setting('search_path'), true)",
        )
        .bind(schema)
        .execute(&mut *tx)
        .await?;
        for row in tables.iter().chain(&types).chain(&functions) {
            let statement: String = row.try_get("statement")?;
            sqlx::raw_sql(&statement).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(self)
    }

    /// Connections that see it and nothing else. What is in it need not outlive a crash.
    pub(super) fn primary(&self) -> &Primary {
        &self.primary
    }

    /// Drops it.
    pub(super) async fn drop(mut self) -> Result<(), sqlx::Error> {
        drop_schema(&mut self.keeper, &self.schema).await?;
        self.keeper.close().await
    }
}

/// All such schemas, in use or not.
///
/// # Errors
/// When the database fails.
pub(crate) async fn all_schemas(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT nspname::text FROM pg_namespace WHERE nspname ~ ('^' || $1)")
        .bind(PREFIX)
        .fetch_all(pool)
        .await
}

/// The schemas that were left behind by programs that were killed.
///
/// # Errors
/// When the database fails.
pub async fn orphans(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(ORPHANS).bind(PREFIX).fetch_all(connection).await
}

/// Drops one of [`orphans`]. `false`: somebody uses it.
///
/// # Errors
/// When the database fails.
pub async fn drop_orphan(connection: &mut PgConnection, schema: &str) -> Result<bool, sqlx::Error> {
    let mut tx = connection.begin().await?;
    let free: bool =
        sqlx::query_scalar("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(schema)
            .fetch_one(&mut *tx)
            .await?;
    if free {
        drop_schema(&mut tx, schema).await?;
    }
    tx.commit().await?;
    Ok(free)
}

async fn drop_orphans(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    for schema in orphans(connection).await? {
        if drop_orphan(connection, &schema).await? {
            tracing::info!(schema, "dropped what a replay had left behind");
        }
    }
    Ok(())
}

async fn drop_schema(connection: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
    // Its name is made of what needs no quotes.
    sqlx::raw_sql(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE")).execute(connection).await?;
    Ok(())
}
