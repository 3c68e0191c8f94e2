//! The roles of a cluster, and who may take them.
//!
//! daybook works as [`APP`], and as [`OWNER`] only to make tables. The superuser of a cluster, [`SUPERUSER`], makes these roles
//! while nobody is connected, in single-user mode; a cluster of an earlier version, where daybook worked as the superuser,
//! is handed over in the same way at its next start. By the socket only the user comes in whom daybook runs as, and root
//! (`peer`); any other role needs a password. These files are written at each start, and `pg_hba.conf` is not read.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};

use crate::error::{Doing as _, Error};
use crate::settings::Durability;
use crate::user::ServerUser;

/// Owns everything in the database, and makes tables.
pub const OWNER: &str = "daybook_owner";

/// Reads and writes rows, and can do nothing else.
pub const APP: &str = "daybook_app";

/// Whom `initdb` makes. daybook never connects as it.
pub const SUPERUSER: &str = "daybook";

/// What makes the roles in a database, and gives them what is theirs, for a superuser to run.
pub const SQL: &str = include_str!("roles.sql");

/// Which roles a cluster has: this is raised whenever [`SQL`] changes.
const REVISION: &str = "2";

/// The map's name in both files.
const MAP: &str = "daybook";

/// The files that say who may be whom, beside PostgreSQL's own.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    pub(crate) hba: PathBuf,
    pub(crate) ident: PathBuf,
    revision: PathBuf,
}

impl Admission {
    pub(crate) fn of(pgdata: &Path) -> Self {
        let [hba, ident, revision] = ["daybook_hba.conf", "daybook_ident.conf", "daybook_roles"]
            .map(|name| pgdata.join(name));
        Self { hba, ident, revision }
    }

    /// Whether the cluster has the roles of this version.
    pub(crate) fn has_roles(&self) -> bool {
        fs::read_to_string(&self.revision).is_ok_and(|text| text.trim() == REVISION)
    }

    /// It has.
    pub(crate) fn note_roles(&self, user: &ServerUser) -> Result<(), Error> {
        write(&self.revision, REVISION, user)
    }

    /// Writes who may come in.
    pub(crate) fn write(&self, durability: Durability, user: &ServerUser) -> Result<(), Error> {
        write(&self.hba, &hba(durability), user)?;
        write(&self.ident, &ident(&[Uid::effective(), Uid::from_raw(0)]), user)
    }
}

fn hba(durability: Durability) -> String {
    let rules = match durability {
        Durability::Durable => format!(
            "local all {SUPERUSER},{OWNER},{APP} peer map={MAP}\nlocal all all scram-sha-256\n\
             local replication {SUPERUSER} peer map={MAP}"
        ),
        // Nothing in it is anybody's, and tests come as whom they like.
        Durability::Throwaway => "local all all trust\nlocal replication all trust".to_owned(),
    };
    format!("# Written by daybook at each start.\n{rules}\n")
}

/// Whoever may be daybook, may be each of its roles: its files are theirs anyway.
fn ident(uids: &[Uid]) -> String {
    let mut lines = String::from("# Written by daybook at each start.\n");
    let names = uids.iter().filter_map(|uid| User::from_uid(*uid).ok().flatten());
    for user in names {
        for role in [SUPERUSER, OWNER, APP] {
            // Writing to a `String` cannot fail.
            let _ = writeln!(lines, "{MAP} \"{}\" {role}", user.name);
        }
    }
    lines
}

/// Replaces a file, for PostgreSQL alone to read.
fn write(path: &Path, text: &str, user: &ServerUser) -> Result<(), Error> {
    let open = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path);
    let mut file = open.doing("open", path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600)).doing("set the mode of", path)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).doing("write", path)?;
    user.own(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_trusted_but_in_a_cluster_that_is_thrown_away() {
        let rules = hba(Durability::Durable);
        assert!(!rules.contains("trust") && rules.contains("peer map=daybook"), "{rules}");
        assert!(hba(Durability::Throwaway).contains("trust"));
    }

    #[test]
    fn the_map_names_this_user_for_each_role() {
        let me = User::from_uid(Uid::effective()).unwrap().unwrap().name;
        let map = ident(&[Uid::effective()]);
        for role in [SUPERUSER, OWNER, APP] {
            assert!(map.contains(&format!("daybook \"{me}\" {role}\n")), "{map}");
        }
    }

    #[test]
    fn statements_are_written_as_single_user_mode_reads_them() {
        let statements: Vec<&str> = SQL.split(";\n\n").collect();
        assert_eq!(statements.last(), Some(&""), "the last one ends, too");
        for statement in &statements {
            assert!(statement.matches("$$").count() % 2 == 0, "cut in the middle: {statement}");
        }
    }
}
