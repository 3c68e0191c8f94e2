//! daybook behind `PgBouncer`: in session mode it serves, in transaction mode it refuses to start.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use chrono::TimeDelta;
use tempfile::TempDir;

use super::{folder, installed};
use crate::harness::{Database, Practice, Server, at_once, child, eventually, monday};

/// A `PgBouncer` before a database of the tests' own cluster.
struct Pooler {
    child: Child,
    port: u16,
    name: String,
    _folder: TempDir,
}

impl Pooler {
    fn start(database: &Database, mode: &str, ignored: &str) -> Self {
        let (place, query) = database.url().split_once('?').unwrap();
        let name = place.rsplit('/').next().unwrap().to_owned();
        let socket = query.strip_prefix("host=").unwrap().split('&').next().unwrap();
        let folder = folder();
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let text = format!(
            "[databases]\n* = host={socket} port=5432 user=daybook\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nauth_type = any\nunix_socket_dir =\npool_mode = {mode}\n\
             default_pool_size = 60\nmax_client_conn = 300\n{ignored}\n"
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, text).unwrap();
        // It does not run as root, and must get to the socket: it is the user whom PostgreSQL runs as.
        let owner = fs::metadata(socket).unwrap();
        chown(folder.path(), Some(owner.uid()), Some(owner.gid())).unwrap();
        chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
        let mut command =
            Command::new(installed("pgbouncer", &["pgbouncer", "/usr/sbin/pgbouncer"]));
        command.arg("-q").arg(&file).uid(owner.uid()).gid(owner.gid());
        command.stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
        let child = child::spawn(command).unwrap();
        eventually("PgBouncer listens", || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok());
        Self { child, port, name, _folder: folder }
    }

    fn database(&self) -> Database {
        let Self { port, name, .. } = self;
        Database::at(format!("postgres://daybook@127.0.0.1:{port}/{name}?sslmode=disable"))
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const IGNORED: &str = "ignore_startup_parameters = extra_float_digits,options";

#[test]
fn a_pooler_in_transaction_mode_is_refused() {
    let database = Database::fresh();
    database.run(&["migrate"]).succeeded();
    for ignored in ["", IGNORED] {
        let pooler = Pooler::start(&database, "transaction", ignored);
        for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["verify"], &["migrate"]] {
            let said = pooler.database().run(command).failed();
            let sentence = "behind a pooler in transaction mode";
            assert!(said.contains(sentence) && said.contains("pool_mode=session"), "{said}");
        }
    }
}

#[test]
fn a_pooler_in_session_mode_is_served_through() {
    for ignored in ["", IGNORED] {
        let database = Database::fresh();
        let pooler = Pooler::start(&database, "session", ignored);
        let server = Server::start(&pooler.database());
        let practice = Practice::on(&server);
        let answers = at_once(16, |number| {
            let start = monday(0, 0) + TimeDelta::hours(i64::try_from(number).unwrap());
            practice.booking(start).send().position()
        });
        let last = answers.into_iter().max().unwrap();
        assert_eq!(practice.found(&format!("min_position={last}&limit=100")).len(), 16);
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                           AND backend_type = 'client backend' AND $1 <> ''";
        assert!(database.sql().number(sessions, "-") > 4);
        pooler.database().run(&["verify"]).succeeded();
    }
}
