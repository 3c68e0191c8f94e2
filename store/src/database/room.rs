//! Whether a server has room for a program: what it can hold, and what the programs that live have taken.

use sqlx::{Executor as _, PgConnection, Row as _};

use super::link::Refused;

/// What the connection of a server's keeper is called, with its number of connections. It is there as long as the program is,
/// so those that live are counted by it, whichever database of the server they work on.
const SERVER: &str = "daybook serve";

const SUBCOMMAND: &str = "daybook";

/// What a program's keeper calls its connection.
pub(super) fn announced(connections: u32, serves: bool) -> String {
    let name = if serves { SERVER } else { SUBCOMMAND };
    format!("{name} {connections}")
}

/// Looks whether the server can hold this program beside those that came before it. The program has
/// announced itself: of two that begin at once one sees the other.
pub(super) async fn look(
    session: &mut PgConnection,
    connections: u32,
) -> Result<Result<(), Refused>, sqlx::Error> {
    let look = format!(
        "WITH program AS (
            SELECT pid, backend_start,
                   substring(application_name FROM '^{SERVER} ([0-9]{{1,5}})$')::bigint AS connections
              FROM pg_stat_activity)
         SELECT (SELECT setting::bigint FROM pg_settings WHERE name = 'max_connections') AS most,
                (SELECT coalesce(sum(setting::bigint), 0)::bigint FROM pg_settings
                  WHERE name IN ('superuser_reserved_connections', 'reserved_connections')) AS reserved,
                coalesce(sum(other.connections), 0)::bigint AS taken, count(other.pid) AS programs
           FROM program me
           LEFT JOIN program other
             ON other.connections IS NOT NULL AND other.pid <> me.pid
            AND coalesce((other.backend_start, other.pid) < (me.backend_start, me.pid), true)
          WHERE me.pid = pg_backend_pid()"
    );
    let row = session.fetch_one(look.as_str()).await?;
    let room = Room {
        most: row.try_get("most")?,
        reserved: row.try_get("reserved")?,
        taken: row.try_get("taken")?,
        programs: row.try_get("programs")?,
        wanted: i64::from(connections),
    };
    let fits = room.taken + room.wanted <= room.most - room.reserved;
    Ok(if fits { Ok(()) } else { Err(Refused::NoRoom(room)) })
}

/// What a server can hold, and what is wanted of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    most: i64,
    reserved: i64,
    taken: i64,
    programs: i64,
    wanted: i64,
}

impl std::fmt::Display for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { most, reserved, taken, programs, wanted } = self;
        write!(
            f,
            "the database holds {most} connections, {reserved} of them reserved; {programs} daybook \
             programs may take {taken}, and this one {wanted} more: raise max_connections of PostgreSQL, or \
             lower --db-connections (DAYBOOK_DB_CONNECTIONS)"
        )
    }
}
