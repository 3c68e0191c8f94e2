//! Whether a program lives, as all others see it: it holds an advisory lock on its id, on the connection on which
//! it hears of commits. The database lets go of that lock when the connection ends, however the program ended.
//!
//! A program that is frozen, or whose machine has gone without a word, still holds it for a while: what must not
//! wait for such a one has a time limit besides.

use sqlx::PgExecutor;
use uuid::Uuid;

/// The lock's key of the program whose id is the SQL expression `program`.
fn key(program: &str) -> String {
    format!("hashtextextended('daybook program ' || {program}, 0)")
}

/// An SQL condition: the program of this id, an SQL expression, is not there any more. It also holds of a program
/// that is older than this lock.
#[must_use]
pub fn has_ended(program: &str) -> String {
    // It is let go of with the statement. Several may ask at once: shared locks do not exclude each other.
    format!("pg_try_advisory_xact_lock_shared({})", key(program))
}

/// Shows that this program lives for as long as the connection lasts.
pub(super) async fn show(
    connection: impl PgExecutor<'_>,
    program: Uuid,
) -> Result<(), sqlx::Error> {
    let lock = format!("SELECT pg_advisory_lock({})", key("$1::uuid"));
    sqlx::query(&lock).bind(program).execute(connection).await?;
    Ok(())
}
