//! PostgreSQL dies while daybook runs.

use std::fs;

use crate::support::{a_cluster_in, a_folder, ask, eventually, kill_dash_9, postmaster, run, runs};

#[tokio::test]
async fn a_postgres_that_is_killed_is_started_again_with_all_that_was_committed() {
    let folder = a_folder();
    let cluster = a_cluster_in(folder.path());
    let url = cluster.connection().url();
    // A query that does not notice that its postmaster is gone.
    let busy = tokio::spawn({
        let url = url.clone();
        async move { ask(&url, "SELECT count(*)::text FROM generate_series(1, 1000000000)").await }
    });
    run(&url, "CREATE TABLE note AS SELECT 'kept' AS text").await;
    for _ in 0..2 {
        let pid = postmaster(folder.path());
        kill_dash_9(pid);
        eventually("another PostgreSQL is ready", || {
            let text = fs::read_to_string(folder.path().join("postgres/postmaster.pid"));
            text.is_ok_and(|text| text.contains("ready") && !text.starts_with(&pid.to_string()))
        });
        assert_eq!(ask(&url, "SELECT text FROM note").await.unwrap(), "kept");
    }
    assert!(busy.await.unwrap().is_err());
    let last = postmaster(folder.path());
    cluster.stop().unwrap();
    assert!(!runs(last));
}
