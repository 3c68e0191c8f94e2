//! The roles of the database: what gets a statement past daybook can do little with it, and nobody else gets in.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Uid, User};

use crate::harness::{Database, Practice, Server, Sql, id_of, monday};

/// `insufficient_privilege`
const DENIED: &str = "42501";

/// What an injected statement would like to do.
const HOSTILE: [&str; 17] = [
    "COPY (SELECT 1) TO PROGRAM 'touch /tmp/daybook-was-here'",
    "COPY (SELECT 1) TO '/tmp/daybook-was-here'",
    "COPY api_keys FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION file_fdw",
    "CREATE TABLE t ()",
    "CREATE TEMP TABLE t ()",
    "CREATE SCHEMA s",
    "ALTER TABLE events ADD COLUMN c int",
    "DROP TABLE events",
    "TRUNCATE events",
    "CREATE ROLE r",
    "ALTER ROLE daybook_app SUPERUSER",
    "SET ROLE daybook_owner",
];

/// As whom the program's sessions are there, and whether one of these is a superuser or sees past row level security.
fn sessions(sql: &mut Sql) -> (Vec<String>, i64) {
    let query = "SELECT DISTINCT usename::text FROM pg_stat_activity
                  WHERE application_name LIKE 'daybook%' AND pid <> pg_backend_pid()
                    AND datname = current_database() AND $1 = '' ORDER BY 1";
    let names = sql.rows(query, "").iter().map(|row| sqlx::Row::get(row, 0)).collect();
    let mighty = "SELECT count(*) FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
                   WHERE a.application_name LIKE 'daybook%' AND a.datname = current_database()
                     AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb) AND $1 = ''";
    (names, sql.number(mighty, ""))
}

#[test]
fn a_statement_that_gets_past_daybook_reads_no_file_runs_no_program_and_makes_nothing() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    practice.booked(monday(9, 0));
    let (names, mighty) = sessions(&mut database.sql());
    assert!(names.contains(&"daybook_app".to_owned()), "{names:?}");
    assert_eq!(mighty, 0, "{names:?}");
    let mut injected = Sql::connect(&database.url_of("daybook_app"), None);
    injected.run("SELECT count(*) FROM events");
    for statement in HOSTILE {
        assert_eq!(injected.try_run(statement), Err(DENIED.to_owned()), "{statement}");
    }
    assert!(!Path::new("/tmp/daybook-was-here").exists());
}

/// With the embedded database of `server`: what psql says as an operating system's user, in one of its roles.
fn psql_as(user: &str, database: &Database, role: &str) -> Result<String, String> {
    let user = User::from_name(user).unwrap().expect("the system has this user");
    let socket = database.data_dir().join("socket");
    let mut psql = Command::new("psql");
    psql.args(["-w", "-X", "-U", role, "-d", "daybook", "-Atc", "SELECT current_user"])
        .arg("-h")
        .arg(socket);
    psql.uid(user.uid.as_raw()).gid(user.gid.as_raw()).current_dir("/").env("HOME", "/");
    let ran = psql.output().expect("psql is installed");
    if ran.status.success() {
        Ok(String::from_utf8(ran.stdout).unwrap().trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&ran.stderr).into_owned())
    }
}

#[test]
fn nobody_but_daybooks_own_user_gets_into_its_postgresql() {
    let database = Database::embedded();
    let server = Server::start(&database);
    Practice::on(&server).booked(monday(9, 0));
    assert_eq!(sessions(&mut database.sql()).1, 0);
    let me = User::from_uid(Uid::effective()).unwrap().unwrap().name;
    assert_eq!(psql_as(&me, &database, "daybook_app").unwrap(), "daybook_app");
    let rules = fs::read_to_string(database.data_dir().join("postgres/daybook_hba.conf")).unwrap();
    assert!(!rules.contains("trust"), "{rules}");
    // Only root can be somebody else.
    if Uid::effective().is_root() {
        for role in ["daybook", "daybook_owner", "daybook_app"] {
            // PostgreSQL runs as this one, so it gets as far as the socket.
            let refused = psql_as("postgres", &database, role).unwrap_err();
            assert!(refused.contains("Peer authentication failed"), "{role}: {refused}");
            let refused = psql_as("nobody", &database, role).unwrap_err();
            assert!(refused.contains("Permission denied"), "{role}: {refused}");
        }
    }
    for closed in [
        "postgres.log",
        "daybook.lock",
        "daybook.users",
        "postgres",
        "socket",
        "postgres/daybook_hba.conf",
    ] {
        let mode = fs::metadata(database.data_dir().join(closed)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{closed}: {mode:o}");
    }
    let mode = fs::metadata(database.data_dir()).unwrap().permissions().mode();
    assert_eq!(mode & 0o066, 0, "nobody looks around in it: {mode:o}");
}

#[test]
fn a_data_folder_of_an_earlier_version_is_handed_over_when_the_program_starts() {
    let database = Database::embedded();
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    let booked = practice.booked(monday(9, 0));
    let key = practice.api.key().map(str::to_owned);
    server.interrupt();
    server.wait();
    let mut sql = database.sql();
    // As an earlier version has left it: all is the superuser's, and there are no other roles.
    sql.run(
        "REASSIGN OWNED BY daybook_owner TO daybook; DROP OWNED BY daybook_app; DROP OWNED BY daybook_analyst;
         DROP OWNED BY daybook_owner;
         DROP ROLE daybook_owner, daybook_app, daybook_analyst",
    );
    drop(sql);
    let folder = database.data_dir();
    fs::remove_file(folder.join("postgres/daybook_roles")).unwrap();
    for open in ["postgres.log", "daybook.lock"] {
        fs::set_permissions(folder.join(open), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let server = Server::start(&database);
    server.api(key).get(&format!("/v1/appointments/{}", id_of(&booked))).send().has_status(200);
    let mut sql = database.sql();
    assert_eq!(sessions(&mut sql).1, 0);
    let others = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE c.relowner <> 'daybook_owner'::regrole AND c.relkind IN ('r', 'v', 'S')
                     AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND $1 = ''";
    assert_eq!(sql.number(others, ""), 0);
    for closed in ["postgres.log", "daybook.lock"] {
        let mode = fs::metadata(folder.join(closed)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{closed}: {mode:o}");
    }
    // It makes tables anew as their owner.
    database.projections_are_what_the_log_says();
    database.run(&["projections", "rebuild", "--all"]).succeeded();
}

#[test]
fn a_program_that_may_make_no_table_works_on_those_that_there_are() {
    let database = Database::fresh();
    database.run(&["migrate"]).succeeded();
    let app = Database::at(database.url_of("daybook_app"));
    let server = Server::start(&app);
    Practice::on(&server).booked(monday(9, 0));
    let said = app.run(&["doctor"]);
    assert!(!said.stdout.contains("superuser"), "{said:?}");
    let superuser = Database::at(database.url());
    let said = superuser.run(&["doctor"]).succeeded();
    assert!(said.contains("superuser") && said.contains("daybook database-roles"), "{said}");
    let owner = database.url_of("daybook_owner").replace("/test_", "/other_");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--owner-database-url", &owner];
    let refused = app.run(&serve).failed();
    assert!(refused.contains("the same database"), "{refused}");
}
