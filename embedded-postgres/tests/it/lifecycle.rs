//! Start, stop, start again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{a_cluster_in, a_folder, ask, pgdata, postmaster, run, runs};

#[tokio::test]
async fn a_new_cluster_is_durable_and_off_the_network() {
    let folder = a_folder();
    let cluster = a_cluster_in(folder.path());
    let url = cluster.connection().url();
    for (parameter, value) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("timezone", "UTC"),
    ] {
        assert_eq!(ask(&url, &format!("SHOW {parameter}")).await.unwrap(), value, "{parameter}");
    }
    // LZ4 is not in every PostgreSQL; where it is, it is used.
    let used = "SELECT (setting = 'lz4' OR NOT coalesce('lz4' = ANY (enumvals), false))::text
                  FROM pg_settings WHERE name = 'wal_compression'";
    assert_eq!(ask(&url, used).await.unwrap(), "true");
    let collation = "SELECT datcollate::text FROM pg_database WHERE datname = current_database()";
    assert_eq!(ask(&url, collation).await.unwrap(), "C");
    assert_eq!(ask(&url, "SELECT current_user::text").await.unwrap(), "daybook_owner");
    // What the claims of appointments need; it is not in every distribution of PostgreSQL.
    run(&url, "CREATE EXTENSION btree_gist").await;
    let mode = fs::metadata(&cluster.connection().socket_dir).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    cluster.stop().unwrap();
}

#[tokio::test]
async fn what_was_written_is_there_after_a_stop_and_a_start() {
    let folder = a_folder();
    let cluster = a_cluster_in(folder.path());
    let (url, pid) = (cluster.connection().url(), postmaster(folder.path()));
    run(&url, "CREATE TABLE note AS SELECT 'kept' AS text").await;
    cluster.stop().unwrap();
    assert!(!runs(pid));
    assert!(!pgdata(folder.path()).join("postmaster.pid").exists());

    let cluster = a_cluster_in(folder.path());
    assert_eq!(cluster.connection().url(), url, "a restart keeps the URL");
    assert_eq!(ask(&url, "SELECT text FROM note").await.unwrap(), "kept");
    cluster.stop().unwrap();
    let log = fs::read_to_string(folder.path().join("postgres.log")).unwrap();
    assert!(!log.contains("not properly shut down"), "{log}");
}

#[tokio::test]
async fn a_client_that_stays_connected_does_not_hold_up_the_stop() {
    let folder = a_folder();
    let cluster = a_cluster_in(folder.path());
    let url = cluster.connection().url();
    let _client = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let begin = std::time::Instant::now();
    cluster.stop().unwrap();
    assert!(begin.elapsed().as_secs() < 10, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_cluster_that_is_dropped_is_stopped() {
    let folder = a_folder();
    let cluster = a_cluster_in(folder.path());
    let pid = postmaster(folder.path());
    drop(cluster);
    assert!(!runs(pid));
}

#[test]
fn when_postgres_refuses_to_start_the_error_shows_what_it_said() {
    let folder = a_folder();
    let settings = crate::support::settings(folder.path()).parameter("max_connections", "many");
    let error = daybook_embedded_postgres::Cluster::start(settings).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, daybook_embedded_postgres::Error::Exited { .. }), "{text}");
    assert!(text.contains("max_connections"), "{text}");
}

/// A Ctrl-C goes to the group of the foreground: to daybook, which still has clients to finish.
#[test]
fn a_ctrl_c_does_not_reach_postgres() {
    let folder = a_folder();
    let _cluster = a_cluster_in(folder.path());
    let postgres = nix::unistd::Pid::from_raw(postmaster(folder.path()));
    assert_eq!(nix::unistd::getpgid(Some(postgres)).unwrap(), postgres);
}
