//! What daybook's sessions have in common: their settings, and what is known of a server by one round trip.
//!
//! Settings are set by a statement after connecting and not by the start-up message: a pooler may drop
//! what it does not know of that.

use std::fmt::Write as _;
use std::time::Duration;

use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use tokio::time::timeout;

/// How long a session may go on with what nobody waits for any more.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(3);

/// A setting of a session.
pub(crate) type Setting = (String, String);

/// Owned copies of settings.
pub(crate) fn settings(settings: &[(&str, &str)]) -> Vec<Setting> {
    settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What one round trip says of a server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    /// Whether it takes writes: it is no standby, nor told to read only.
    pub(super) writable: bool,
}

/// Sets a session up, in one round trip.
pub(super) async fn set_up(
    connection: &mut PgConnection,
    settings: &[Setting],
) -> Result<Session, sqlx::Error> {
    // The simple protocol: whether statements can be prepared is not known yet.
    let row = connection.fetch_one(statement(settings).as_str()).await?;
    Ok(Session { writable: row.try_get("writable")? })
}

/// Waits until a session has done what was asked of it: whoever gave up waiting may have left it busy. An error: it
/// cannot be used again. Its pool would ask it something and wait for the answer, which may never come, and
/// have one connection less.
pub(super) async fn settle(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    // Costs nothing where nothing is under way, which is nearly always.
    let settled = timeout(SETTLE_TIMEOUT, connection.flush()).await;
    settled.unwrap_or_else(|_| {
        Err(sqlx::Error::Configuration("it was given up and is still busy: it is closed".into()))
    })
}

fn statement(settings: &[Setting]) -> String {
    let mut statement = String::from(
        "SELECT NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off'
                AS writable",
    );
    for (name, value) in settings {
        // Writing to a `String` cannot fail.
        let _ = write!(statement, ", set_config({}, {}, false)", literal(name), literal(value));
    }
    statement
}

/// Text as a literal, whatever `standard_conforming_strings` is.
pub(super) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use sqlx::postgres::PgPoolOptions;

    use super::*;
    use crate::database::{Primary, Purpose};
    use crate::testing::House;

    #[tokio::test]
    async fn what_is_set_stays_set() {
        let house = House::new().await;
        let mut connection = PgConnection::connect_with(&house.options()).await.unwrap();
        let odd = r"a'b\c";
        let wanted = settings(&[("lock_timeout", "2s"), ("daybook.odd", odd)]);
        assert!(set_up(&mut connection, &wanted).await.unwrap().writable);
        let row =
            sqlx::query("SELECT current_setting('lock_timeout'), current_setting('daybook.odd')")
                .fetch_one(&mut connection)
                .await
                .unwrap();
        assert_eq!((row.get::<&str, _>(0), row.get::<&str, _>(1)), ("2s", odd));
        connection.execute("SET default_transaction_read_only = on").await.unwrap();
        assert!(!set_up(&mut connection, &[]).await.unwrap().writable);
    }

    #[tokio::test]
    async fn a_session_that_was_given_up_and_goes_on_for_ever_makes_room_for_another() {
        let (house, long) = (House::new().await, Duration::from_mins(2));
        let one = PgPoolOptions::new().max_connections(1).acquire_timeout(long);
        let pool = Primary::fixed(house.options()).pool(Purpose::Read, one, &[]);
        let mut connection = pool.acquire().await.unwrap();
        let asleep = sqlx::query("SELECT pg_sleep(600)").execute(&mut *connection);
        assert!(timeout(Duration::from_millis(100), asleep).await.is_err());
        drop(connection);
        timeout(long, sqlx::query("SELECT 1").execute(&pool)).await.expect("in time").unwrap();
    }
}
