//! What a failure to work on a database means for whoever would try again.

use std::borrow::Cow;
use std::io;

use sqlx::postgres::PgConnectOptions;

/// Who asks again hears the same, until somebody changes the database, or where it is said to be: the password is wrong
/// (28P01), nobody may connect as this (28000), there is no such database (3D000), it is not allowed (42501), or the
/// server does not have what is needed, as an extension (0A000, 58P01).
const IN_VAIN: [&str; 6] = ["28P01", "28000", "3D000", "42501", "0A000", "58P01"];

/// Whether the database would say the same as often as it is asked.
#[must_use]
pub fn is_in_vain(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(said) => said.code().is_some_and(|code| IN_VAIN.contains(&&*code)),
        sqlx::Error::Tls(_) => true,
        _ => false,
    }
}

/// The same of a server that was to be connected to: what it said.
pub(super) fn refusal(error: &sqlx::Error) -> Option<String> {
    is_in_vain(error).then(|| match error {
        sqlx::Error::Database(said) => said.message().to_owned(),
        other => other.to_string(),
    })
}

/// Nobody answered in time.
pub(super) fn late() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "it does not answer"))
}

/// Why a server cannot be worked on at present, and which.
pub(super) fn described(server: &PgConnectOptions, error: &sqlx::Error) -> String {
    let place: Cow<'_, str> = match server.get_socket() {
        Some(socket) => socket.to_string_lossy(),
        None => format!("{}:{}", server.get_host(), server.get_port()).into(),
    };
    match error {
        // Without the words that the driver puts before it.
        sqlx::Error::Io(error) => format!("{place}: {error}"),
        other => format!("{place}: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_server_is_is_said_and_nothing_secret() {
        let url = "postgres://me:secret@db.example.org:5433/daybook";
        let refused = sqlx::Error::Io(io::ErrorKind::ConnectionRefused.into());
        let said = described(&url.parse().unwrap(), &refused);
        assert_eq!(said, "db.example.org:5433: connection refused");
        let socket = "postgres:///daybook?host=/run/here".parse().unwrap();
        assert_eq!(described(&socket, &late()), "/run/here: it does not answer");
        assert!(!is_in_vain(&refused));
    }
}
