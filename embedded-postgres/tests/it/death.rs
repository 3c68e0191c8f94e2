//! A daybook that is killed, and what it leaves behind.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::{
    a_cluster_in, a_folder, another_process, as_other_process, ask, eventually, linger, pgdata,
    postmaster, run, runs,
};

/// The kernel does it, so this holds for `kill -9` as for any other end.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn when_daybook_is_killed_postgres_stops_by_itself() {
    if let Some(folder) = as_other_process() {
        let cluster = a_cluster_in(&folder);
        run(&cluster.connection().url(), "CREATE TABLE note AS SELECT 'kept' AS text").await;
        fs::write(folder.join("written"), "").unwrap();
        return linger();
    }
    let folder = a_folder();
    let test = "death::when_daybook_is_killed_postgres_stops_by_itself";
    let mut other = another_process(test, folder.path());
    eventually("the other has written", || folder.path().join("written").exists());
    let pid = postmaster(folder.path());
    assert!(runs(pid));
    other.kill_dash_9();
    eventually("PostgreSQL has stopped", || !runs(pid));

    let cluster = a_cluster_in(folder.path());
    let note = ask(&cluster.connection().url(), "SELECT text FROM note").await;
    assert_eq!(note.unwrap(), "kept");
    let log = fs::read_to_string(folder.path().join("postgres.log")).unwrap();
    assert!(!log.contains("not properly shut down"), "it wrote a checkpoint: {log}");
}

/// The next daybook may come at once, while the old PostgreSQL is still stopping.
#[tokio::test]
async fn a_daybook_that_follows_a_killed_one_at_once_starts() {
    if let Some(folder) = as_other_process() {
        let _cluster = a_cluster_in(&folder);
        fs::write(folder.join("started"), "").unwrap();
        return linger();
    }
    let folder = a_folder();
    let test = "death::a_daybook_that_follows_a_killed_one_at_once_starts";
    let mut other = another_process(test, folder.path());
    eventually("the other has started", || folder.path().join("started").exists());
    other.kill_dash_9();
    let cluster = a_cluster_in(folder.path());
    assert_eq!(ask(&cluster.connection().url(), "SELECT 'here'").await.unwrap(), "here");
}

#[tokio::test]
async fn a_postgres_that_was_left_behind_is_stopped_before_a_new_one_starts() {
    let folder = a_folder();
    let cluster = a_cluster_in(folder.path());
    let command_line = fs::read(format!("/proc/{}/cmdline", postmaster(folder.path()))).unwrap();
    let words: Vec<_> =
        command_line.split(|&b| b == 0).map(|w| String::from_utf8(w.to_vec()).unwrap()).collect();
    cluster.stop().unwrap();

    // The same again, but nobody's child as far as daybook knows.
    let owner = fs::metadata(pgdata(folder.path())).unwrap();
    let mut orphan = Command::new(&words[0])
        .args(&words[1..words.len() - 1])
        .uid(owner.uid())
        .gid(owner.gid())
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid_file = pgdata(folder.path()).join("postmaster.pid");
    eventually("the orphan is ready", || {
        fs::read_to_string(&pid_file).is_ok_and(|text| text.contains("ready"))
    });
    // It is nobody's zombie either.
    let reaped = thread::spawn(move || orphan.wait().unwrap());

    let cluster = a_cluster_in(folder.path());
    assert!(reaped.join().unwrap().success(), "it was stopped cleanly");
    assert_eq!(ask(&cluster.connection().url(), "SELECT 'here'").await.unwrap(), "here");
}

/// After a reboot the old number may be anyone's.
#[tokio::test]
async fn a_stale_postmaster_pid_with_a_strangers_number_neither_stops_us_nor_hurts_the_stranger() {
    let folder = a_folder();
    let cluster = a_cluster_in(folder.path());
    let pid_file = pgdata(folder.path()).join("postmaster.pid");
    let said = fs::read_to_string(&pid_file).unwrap();
    let socket = cluster.connection().socket_dir.clone();
    cluster.stop().unwrap();

    // Of PostgreSQL's own user: others it cannot signal, and so does not take for a PostgreSQL.
    let owner = fs::metadata(pgdata(folder.path())).unwrap().uid();
    let mut stranger = Command::new("sleep").arg("60").uid(owner).spawn().unwrap();
    let (_, rest) = said.split_once('\n').unwrap();
    fs::write(&pid_file, format!("{}\n{rest}", stranger.id())).unwrap();
    fs::write(socket.join(".s.PGSQL.5432.lock"), format!("{}\n{rest}", stranger.id())).unwrap();

    let cluster = a_cluster_in(folder.path());
    assert_eq!(ask(&cluster.connection().url(), "SELECT 'here'").await.unwrap(), "here");
    assert!(stranger.try_wait().unwrap().is_none());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn a_daybook_that_is_killed_while_it_makes_the_cluster_leaves_nothing_that_is_trusted() {
    if let Some(folder) = as_other_process() {
        a_cluster_in(&folder);
        return linger();
    }
    let folder = a_folder();
    let test =
        "death::a_daybook_that_is_killed_while_it_makes_the_cluster_leaves_nothing_that_is_trusted";
    let mut other = another_process(test, folder.path());
    let unfinished = folder.path().join("postgres.unfinished");
    eventually("the cluster is half made", || unfinished.join("global").exists());
    other.kill_dash_9();
    thread::sleep(Duration::from_millis(50));
    assert!(unfinished.exists() && !pgdata(folder.path()).exists());

    let cluster = a_cluster_in(folder.path());
    assert_eq!(ask(&cluster.connection().url(), "SELECT 'here'").await.unwrap(), "here");
    assert!(!unfinished.exists());
}
