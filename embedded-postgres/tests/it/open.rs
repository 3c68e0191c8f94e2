//! Subcommands beside a running server.

use std::fs;
use std::thread;
use std::time::Duration;

use daybook_embedded_postgres::{Cluster, Error, attach, open};

use crate::support::{
    a_cluster_in, a_folder, another_process, as_other_process, ask, eventually, linger, pgdata,
    postmaster, run, runs, settings,
};

#[tokio::test]
async fn a_subcommand_works_on_the_cluster_of_a_running_server_and_leaves_it_running() {
    if let Some(folder) = as_other_process() {
        let cluster = a_cluster_in(&folder);
        run(&cluster.connection().url(), "CREATE TABLE note AS SELECT 'shared' AS text").await;
        fs::write(folder.join("written"), "").unwrap();
        return linger();
    }
    let folder = a_folder();
    let test = "open::a_subcommand_works_on_the_cluster_of_a_running_server_and_leaves_it_running";
    let _other = another_process(test, folder.path());
    eventually("the other has written", || folder.path().join("written").exists());

    let opened = open(settings(folder.path())).unwrap();
    let connection = opened.connection().clone();
    assert_eq!(attach(folder.path()).unwrap().as_ref(), Some(&connection));
    assert_eq!(ask(&connection.url(), "SELECT text FROM note").await.unwrap(), "shared");
    opened.close().unwrap();
    assert_eq!(ask(&connection.url(), "SELECT text FROM note").await.unwrap(), "shared");
}

#[tokio::test]
async fn a_subcommand_waits_for_a_server_that_is_still_starting() {
    if let Some(folder) = as_other_process() {
        let _cluster = a_cluster_in(&folder);
        return linger();
    }
    let folder = a_folder();
    let test = "open::a_subcommand_waits_for_a_server_that_is_still_starting";
    let _other = another_process(test, folder.path());
    eventually("the other makes the cluster", || {
        folder.path().join("postgres.unfinished").exists()
    });
    assert_eq!(attach(folder.path()).unwrap(), None);
    let opened = open(settings(folder.path())).unwrap();
    assert_eq!(ask(&opened.connection().url(), "SELECT 'here'").await.unwrap(), "here");
}

#[tokio::test]
async fn a_subcommand_without_a_server_starts_the_cluster_and_stops_it() {
    let folder = a_folder();
    assert_eq!(attach(folder.path().join("missing")).unwrap(), None);
    let opened = open(settings(folder.path())).unwrap();
    let url = opened.connection().url();
    assert_eq!(ask(&url, "SELECT 'here'").await.unwrap(), "here");
    opened.close().unwrap();
    assert!(ask(&url, "SELECT 'here'").await.is_err());
    assert_eq!(attach(folder.path()).unwrap(), None);
}

/// The one who has started PostgreSQL is done first.
#[tokio::test]
async fn the_last_of_several_subcommands_stops_the_cluster() {
    if let Some(folder) = as_other_process() {
        let opened = open(settings(&folder)).unwrap();
        fs::write(folder.join("started"), "").unwrap();
        eventually("it is to leave", || folder.join("leave").exists());
        opened.close().unwrap();
        return;
    }
    let folder = a_folder();
    let mut other =
        another_process("open::the_last_of_several_subcommands_stops_the_cluster", folder.path());
    eventually("the other has started it", || folder.path().join("started").exists());
    let pid = postmaster(folder.path());
    let opened = [(); 2].map(|()| open(settings(folder.path())).unwrap());
    fs::write(folder.path().join("leave"), "").unwrap();
    other.wait();
    for opened in opened {
        let url = opened.connection().url();
        assert_eq!(ask(&url, "SELECT 'here'").await.unwrap(), "here");
        assert_eq!(postmaster(folder.path()), pid, "the same one all the time");
        opened.close().unwrap();
    }
    eventually("PostgreSQL has stopped", || !runs(pid));
}

#[test]
fn many_subcommands_at_once_take_it_from_nobody() {
    let folder = a_folder();
    thread::scope(|scope| {
        for n in 0..18_u64 {
            let folder = folder.path();
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                // Some come when others leave.
                thread::sleep(Duration::from_millis(n % 6 * 40));
                let opened = open(settings(folder)).unwrap();
                let url = opened.connection().url();
                let asked = runtime.unwrap().block_on(async {
                    tokio::time::sleep(Duration::from_millis(n % 3 * 50)).await;
                    ask(&url, "SELECT 'here'").await
                });
                assert_eq!(asked.unwrap(), "here");
                opened.close().unwrap();
            });
        }
    });
    assert_eq!(attach(folder.path()).unwrap(), None);
    assert!(!pgdata(folder.path()).join("postmaster.pid").exists(), "it has stopped");
}

/// It was tied to nobody: the next daybook finds it, and starts its own.
#[tokio::test]
async fn what_a_killed_subcommand_leaves_behind_is_stopped_by_the_next() {
    if let Some(folder) = as_other_process() {
        let _opened = open(settings(&folder)).unwrap();
        fs::write(folder.join("started"), "").unwrap();
        return linger();
    }
    let folder = a_folder();
    let test = "open::what_a_killed_subcommand_leaves_behind_is_stopped_by_the_next";
    let mut other = another_process(test, folder.path());
    eventually("the other has started", || folder.path().join("started").exists());
    let pid = postmaster(folder.path());
    other.kill_dash_9();
    let opened = open(settings(folder.path())).unwrap();
    assert!(!runs(pid), "what was left behind is gone");
    assert_eq!(ask(&opened.connection().url(), "SELECT 'here'").await.unwrap(), "here");
    opened.close().unwrap();
}

#[test]
fn a_server_waits_until_subcommands_are_done() {
    let folder = a_folder();
    let opened = open(settings(folder.path())).unwrap();
    let impatient = settings(folder.path()).lock_timeout(Duration::from_millis(300));
    let error = Cluster::start(impatient).unwrap_err();
    assert!(matches!(&error, Error::Subcommands { .. }), "{error}");
    let done = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        opened.close().unwrap();
    });
    a_cluster_in(folder.path()).stop().unwrap();
    done.join().unwrap();
}

#[test]
fn a_second_server_is_told_at_once_who_has_the_folder() {
    let folder = a_folder();
    let _first = a_cluster_in(folder.path());
    // Not after the minute that it would wait for one that is stopping.
    let patient = settings(folder.path()).lock_timeout(Duration::from_mins(10));
    let error = Cluster::start(patient).unwrap_err();
    assert!(matches!(&error, Error::Busy { holder: Some(pid), .. } if *pid == std::process::id()));
    assert!(error.to_string().contains("in use by process"), "{error}");
}

#[test]
fn a_server_waits_for_one_that_is_stopping() {
    let folder = a_folder();
    let first = a_cluster_in(folder.path());
    let stopper = thread::spawn(move || first.stop().unwrap());
    eventually("it is stopping", || {
        let lock = fs::read_to_string(folder.path().join("daybook.lock")).unwrap();
        lock.contains("for a moment")
    });
    a_cluster_in(folder.path()).stop().unwrap();
    stopper.join().unwrap();
}

/// Between taking the lock and starting PostgreSQL, the file of a killed one is still there.
#[test]
fn the_file_of_a_postgres_that_is_dead_is_not_taken_for_a_running_one() {
    let folder = a_folder();
    let cluster = a_cluster_in(folder.path());
    let pid_file = pgdata(folder.path()).join("postmaster.pid");
    let ready = fs::read_to_string(&pid_file).unwrap();
    assert!(attach(folder.path()).unwrap().is_some());
    fs::write(&pid_file, ready.replace("ready   ", "starting")).unwrap();
    assert_eq!(attach(folder.path()).unwrap(), None);
    fs::write(&pid_file, &ready).unwrap();
    cluster.stop().unwrap();

    let starting = fs::File::open(folder.path().join("daybook.lock")).unwrap();
    starting.lock().unwrap();
    let (_, rest) = ready.split_once('\n').unwrap();
    fs::write(&pid_file, format!("{}\n{rest}", std::process::id())).unwrap();
    assert_eq!(attach(folder.path()).unwrap(), None);
    let impatient = settings(folder.path()).lock_timeout(Duration::from_millis(200));
    assert!(matches!(open(impatient), Err(Error::Busy { .. })));
}
