//! Subcommands beside a running server.

use std::fs;
use std::time::Duration;

use daybook_embedded_postgres::{Cluster, Error, Opened, attach, open};

use crate::support::{
    a_cluster_in, a_folder, another_process, as_other_process, ask, eventually, linger, pgdata,
    run, settings,
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
    assert!(matches!(opened, Opened::Attached(_)));
    let connection = opened.connection().clone();
    assert_eq!(attach(folder.path()).unwrap().as_ref(), Some(&connection));
    assert_eq!(ask(&connection.url(), "SELECT text FROM note").await.unwrap(), "shared");
    opened.stop().unwrap();
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
    assert!(matches!(opened, Opened::Attached(_)));
    assert_eq!(ask(&opened.connection().url(), "SELECT 'here'").await.unwrap(), "here");
}

#[tokio::test]
async fn a_subcommand_without_a_server_starts_the_cluster_and_stops_it() {
    let folder = a_folder();
    assert_eq!(attach(folder.path().join("missing")).unwrap(), None);
    let opened = open(settings(folder.path())).unwrap();
    assert!(matches!(opened, Opened::Started(_)));
    let url = opened.connection().url();
    assert_eq!(ask(&url, "SELECT 'here'").await.unwrap(), "here");
    opened.stop().unwrap();
    assert!(ask(&url, "SELECT 'here'").await.is_err());
    assert_eq!(attach(folder.path()).unwrap(), None);
}

#[test]
fn a_second_server_is_told_who_has_the_folder() {
    let folder = a_folder();
    let _first = a_cluster_in(folder.path());
    let impatient = settings(folder.path()).lock_timeout(Duration::from_millis(300));
    let error = Cluster::start(impatient).unwrap_err();
    assert!(matches!(&error, Error::Busy { holder: Some(pid), .. } if *pid == std::process::id()));
    assert!(error.to_string().contains("in use by process"), "{error}");
}

#[test]
fn a_server_waits_for_one_that_is_stopping() {
    let folder = a_folder();
    let first = a_cluster_in(folder.path());
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        first.stop().unwrap();
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
