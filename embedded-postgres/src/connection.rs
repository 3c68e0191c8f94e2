//! Where a running cluster is reached.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::layout::Layout;
use crate::roles::{APP, OWNER, SUPERUSER};

/// The database that exists from the first start.
pub(crate) const DATABASE: &str = "daybook";
/// Never a TCP port: it is only a part of the socket file's name.
pub(crate) const PORT: u16 = 5432;

/// Where a running cluster is reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConnectionInfo {
    /// The folder of the unix socket.
    pub socket_dir: PathBuf,
    /// A part of the socket file's name; nothing listens on TCP.
    pub port: u16,
    /// The role: whoever owns the tables, where nothing else is said. It has no password: PostgreSQL knows who asks.
    pub user: String,
    /// The database.
    pub database: String,
}

impl ConnectionInfo {
    pub(crate) fn at(socket_dir: &Path, port: u16) -> Self {
        Self {
            socket_dir: socket_dir.to_path_buf(),
            port,
            user: OWNER.to_owned(),
            database: DATABASE.to_owned(),
        }
    }

    pub(crate) fn of(layout: &Layout) -> Self {
        Self::at(layout.socket.folder(), PORT)
    }

    /// The same for the role that reads and writes rows.
    #[must_use]
    pub fn as_app(&self) -> Self {
        Self { user: APP.to_owned(), ..self.clone() }
    }

    /// The same for the superuser: for whoever looks after the cluster, not for daybook.
    #[must_use]
    pub fn as_superuser(&self) -> Self {
        Self { user: SUPERUSER.to_owned(), ..self.clone() }
    }

    /// A `postgres://` URL that libpq and sqlx understand.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(&self.database)
    }

    /// As [`url`](Self::url), for another database of the cluster.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!(
            "postgres:///{}?host={}&user={}&port={}",
            encoded(database.as_bytes()),
            encoded(self.socket_dir.as_os_str().as_bytes()),
            encoded(self.user.as_bytes()),
            self.port,
        )
    }
}

/// Percent-encodes all but RFC 3986's unreserved characters and the slash (which a query may contain).
fn encoded(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use sqlx::postgres::PgConnectOptions;

    use super::*;

    #[test]
    fn sqlx_reads_every_part_of_the_url() {
        let info = ConnectionInfo::at(Path::new("/srv/a b&c/é+%/socket"), 5433);
        let options = PgConnectOptions::from_str(&info.url()).unwrap();
        assert_eq!(options.get_socket().unwrap(), &info.socket_dir);
        assert_eq!(options.get_port(), 5433);
        assert_eq!(options.get_username(), "daybook_owner");
        assert_eq!(options.get_database(), Some("daybook"));
    }
}
