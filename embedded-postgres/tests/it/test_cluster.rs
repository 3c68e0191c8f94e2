//! The cluster for tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use daybook_embedded_postgres::testing::TestCluster;

use crate::support::{
    a_folder, another_process, as_other_process, ask, eventually, linger, postmaster, run, runs,
};

static PREPARED: AtomicUsize = AtomicUsize::new(0);

async fn prepare(url: &str) -> Result<(), std::convert::Infallible> {
    PREPARED.fetch_add(1, Ordering::SeqCst);
    run(url, "CREATE TABLE note (text text)").await;
    Ok(())
}

const COUNT: &str = "SELECT count(*)::text FROM note";

#[tokio::test]
async fn each_test_has_a_database_of_its_own_from_a_template_that_is_prepared_once() {
    let cluster = TestCluster::shared();
    let (one, two) = tokio::join!(cluster.database(prepare), cluster.database(prepare));
    run(&one.url, "INSERT INTO note VALUES ('mine')").await;
    assert_eq!(ask(&one.url, COUNT).await.unwrap(), "1");
    assert_eq!(ask(&two.url, COUNT).await.unwrap(), "0");
    assert_eq!(PREPARED.load(Ordering::SeqCst), 1);
    let empty = cluster.empty_database().await;
    assert!(ask(&empty.url, COUNT).await.is_err());
    assert_eq!(ask(&empty.url, "SHOW fsync").await.unwrap(), "off");
}

#[tokio::test]
async fn a_database_goes_with_its_test_even_while_someone_is_connected() {
    let cluster = TestCluster::shared();
    let database = cluster.empty_database().await;
    let url = database.url.clone();
    let _client = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
    drop(database);
    for _ in 0..500 {
        if ask(&url, "SELECT 'here'").await.is_err() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the database is still there");
}

#[tokio::test]
async fn closures_that_differ_make_templates_that_differ() {
    let cluster = TestCluster::shared();
    let one = cluster
        .database(async |url: &str| {
            run(url, "CREATE TABLE one AS SELECT '1' AS n").await;
            Ok::<_, std::fmt::Error>(())
        })
        .await;
    let two = cluster
        .database(async |url: &str| {
            run(url, "CREATE TABLE two AS SELECT '2' AS n").await;
            Ok::<_, std::fmt::Error>(())
        })
        .await;
    assert_eq!(ask(&one.url, "SELECT n FROM one").await.unwrap(), "1");
    assert_eq!(ask(&two.url, "SELECT n FROM two").await.unwrap(), "2");
}

/// Where the other process's cluster is, as it has told us.
fn told(folder: &Path) -> PathBuf {
    let note = folder.join("cluster");
    eventually("the other has started", || note.exists());
    PathBuf::from(fs::read_to_string(note).unwrap())
}

fn tell(folder: &Path, cluster: &TestCluster) {
    fs::write(folder.join("new"), cluster.folder().to_str().unwrap()).unwrap();
    fs::rename(folder.join("new"), folder.join("cluster")).unwrap();
}

#[test]
fn a_test_process_that_is_killed_leaves_neither_postgres_nor_its_folder() {
    if let Some(folder) = as_other_process() {
        tell(&folder, TestCluster::shared());
        return linger();
    }
    let folder = a_folder();
    let test = "test_cluster::a_test_process_that_is_killed_leaves_neither_postgres_nor_its_folder";
    let mut other = another_process(test, folder.path());
    let cluster = told(folder.path());
    let pid = postmaster(&cluster);
    assert!(runs(pid));
    other.kill_dash_9();
    eventually("PostgreSQL has stopped", || !runs(pid));
    eventually("the folder is gone", || !cluster.exists());
}

#[test]
fn a_test_process_that_panics_leaves_neither_postgres_nor_its_folder() {
    if let Some(folder) = as_other_process() {
        tell(&folder, TestCluster::shared());
        panic!("as a test does");
    }
    let folder = a_folder();
    let test = "test_cluster::a_test_process_that_panics_leaves_neither_postgres_nor_its_folder";
    let mut other = another_process(test, folder.path());
    let cluster = told(folder.path());
    other.wait();
    eventually("the folder is gone", || !cluster.exists());
}

#[test]
fn what_a_dead_test_process_has_left_is_swept_by_the_next() {
    let mut dead = std::process::Command::new("true").spawn().unwrap();
    dead.wait().unwrap();
    let parent = TestCluster::shared().folder().parent().unwrap();
    let left = parent.join(format!("daybook-test-{}-0", dead.id()));
    let ours = parent.join(format!("daybook-test-{}-swept", std::process::id()));
    for folder in [&left, &ours] {
        fs::create_dir_all(folder.join("postgres")).unwrap();
    }
    drop(TestCluster::start());
    assert!(!left.exists());
    assert!(ours.exists(), "its process lives");
    fs::remove_dir_all(ours).unwrap();
}
