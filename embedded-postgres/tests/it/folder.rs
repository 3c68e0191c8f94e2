//! Data folders in odd places.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use daybook_embedded_postgres::{Cluster, Error};

use crate::support::{a_cluster_in, a_folder, ask, settings};

#[tokio::test]
async fn a_path_too_long_for_a_socket_gets_one_in_tmp_which_goes_with_the_cluster() {
    let folder = a_folder();
    let deep = folder.path().join("d".repeat(60)).join("e".repeat(60));
    let cluster = a_cluster_in(&deep);
    let socket = cluster.connection().socket_dir.clone();
    assert!(socket.starts_with("/tmp"), "{}", socket.display());
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(ask(&cluster.connection().url(), "SELECT 'here'").await.unwrap(), "here");
    let attached = daybook_embedded_postgres::attach(&deep).unwrap();
    assert_eq!(attached.as_ref(), Some(cluster.connection()));
    cluster.stop().unwrap();
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_folder_with_an_awkward_name_works_through_a_link() {
    let folder = a_folder();
    let awkward = folder.path().join("a, \"b\" & 100% ü");
    fs::create_dir(&awkward).unwrap();
    let link = folder.path().join("link");
    symlink(&awkward, &link).unwrap();
    let cluster = a_cluster_in(&link);
    assert_eq!(ask(&cluster.connection().url(), "SELECT 'here'").await.unwrap(), "here");
    assert_eq!(
        daybook_embedded_postgres::attach(&awkward).unwrap().as_ref(),
        Some(cluster.connection())
    );
}

#[test]
fn a_folder_of_something_else_is_not_touched() {
    let folder = a_folder();
    let diary = folder.path().join("postgres").join("diary.txt");
    fs::create_dir(diary.parent().unwrap()).unwrap();
    fs::write(&diary, "mine").unwrap();
    let refused = Cluster::start(settings(folder.path())).unwrap_err();
    assert!(matches!(refused, Error::NotACluster(_)), "{refused}");
    assert_eq!(fs::read_to_string(diary).unwrap(), "mine");
}
