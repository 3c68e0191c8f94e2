//! Finds a pooler in transaction mode, which gives each transaction of a session to whatever connection is free.
//!
//! On such a one settings are lost, advisory locks are another's, notifications do not come, and prepared
//! statements are those of another client: daybook would answer wrongly. Whether a session is one is tried:
//! while its mark is set, another session takes a connection and keeps it, and then the mark is looked for.

use sqlx::{Executor as _, PgConnection, Row as _};
use uuid::Uuid;

use super::session::literal;

/// How often it is tried: other clients may take connections at the same time.
const ROUNDS: usize = 3;

/// A session's mark. Whoever keeps the session looks for it now and then.
pub(super) struct Mark(String);

impl Mark {
    /// An expression that is true where the mark is.
    pub(super) fn is_there(&self) -> String {
        format!("coalesce(current_setting('daybook.session', true), '') = {}", literal(&self.0))
    }
}

/// Marks a session that stays what it is; `None`: a pooler takes it apart between transactions.
///
/// # Errors
/// When the database fails.
pub(super) async fn mark(
    session: &mut PgConnection,
    other: &mut PgConnection,
) -> Result<Option<Mark>, sqlx::Error> {
    let mark = Mark(Uuid::now_v7().to_string());
    let set = format!(
        "SELECT set_config('daybook.session', {}, false), pg_backend_pid()",
        literal(&mark.0)
    );
    let process: i32 = session.fetch_one(set.as_str()).await?.try_get(1)?;
    let look = format!("SELECT {}, pg_backend_pid()", mark.is_there());
    for _ in 0..ROUNDS {
        // Held until the end of the transaction, so the session cannot have it in between.
        if let Err(error) = other.execute("BEGIN").await {
            return refused_by_a_pooler(error).map(|()| None);
        }
        let of_other = other.fetch_one(look.as_str()).await?;
        let is_shared =
            of_other.try_get::<bool, _>(0)? || of_other.try_get::<i32, _>(1)? == process;
        let is_lost = !is_shared && {
            let of_session = session.fetch_one(look.as_str()).await?;
            !of_session.try_get::<bool, _>(0)? || of_session.try_get::<i32, _>(1)? != process
        };
        other.execute("ROLLBACK").await?;
        if is_shared || is_lost {
            return Ok(None);
        }
    }
    Ok(Some(mark))
}

/// In statement mode a transaction is a violation of the protocol.
fn refused_by_a_pooler(error: sqlx::Error) -> Result<(), sqlx::Error> {
    match &error {
        sqlx::Error::Database(said) if said.code().is_some_and(|code| code.starts_with("08")) => {
            Ok(())
        }
        _ => Err(error),
    }
}
