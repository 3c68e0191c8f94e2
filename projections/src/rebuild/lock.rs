//! Who rebuilds: of all programs, one.

use sqlx::{Connection as _, PgConnection, PgPool};

use crate::Schema;

/// Before the schema's name, in what is locked.
pub(crate) const LOCKED: &str = "daybook build ";

/// Held while somebody rebuilds in a shadow schema: an advisory lock of a connection of its own. It goes with
/// the program, however that ends, and the next one takes over at once.
///
/// A program that has lost it without knowing does no harm: each part of the work is recorded in its own
/// transaction, under a key that can be there only once.
pub(crate) struct Lock {
    connection: PgConnection,
}

impl Lock {
    /// `None`: another program rebuilds.
    pub(crate) async fn take(pool: &PgPool, schema: &Schema) -> Result<Option<Self>, sqlx::Error> {
        let mut connection = pool.acquire().await?.detach();
        let taken: bool =
            sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, 0))")
                .bind(format!("{LOCKED}{schema}"))
                .fetch_one(&mut connection)
                .await?;
        Ok(taken.then_some(Self { connection }))
    }

    pub(crate) async fn release(mut self) {
        // If that fails, it goes with the connection.
        let _ = sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut self.connection).await;
        let _ = self.connection.close().await;
    }
}
