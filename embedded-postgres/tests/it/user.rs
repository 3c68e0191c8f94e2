//! Whom PostgreSQL runs as. These tests assert one thing for root and the other for everyone else.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use daybook_embedded_postgres::{Cluster, Error};
use nix::unistd::Uid;

use crate::support::{a_cluster_in, a_folder, pgdata, postmaster, settings};

#[cfg(target_os = "linux")]
#[test]
fn postgres_never_runs_as_root_and_keeps_no_group_of_root() {
    let folder = a_folder();
    let _cluster = a_cluster_in(folder.path());
    let status = fs::read_to_string(format!("/proc/{}/status", postmaster(folder.path()))).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<u32>>()
    };
    let us = Uid::effective();
    for uid in field("Uid:") {
        assert_eq!(uid == us.as_raw(), !us.is_root(), "{uid}");
        assert_eq!(uid, fs::metadata(pgdata(folder.path())).unwrap().uid());
    }
    if us.is_root() {
        assert_eq!(field("Groups:"), [] as [u32; 0]);
        assert!(field("Gid:").iter().all(|&gid| gid != 0));
    }
}

#[test]
fn a_folder_that_the_user_cannot_reach_is_refused_by_name() {
    let folder = a_folder();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let started = Cluster::start(settings(&closed.join("data")));
    if Uid::effective().is_root() {
        let refused = started.unwrap_err();
        assert!(matches!(&refused, Error::Unreachable { folder, .. } if *folder == closed));
        assert!(refused.to_string().contains("chmod o+x"), "{refused}");
    } else {
        started.unwrap().stop().unwrap();
    }
}
