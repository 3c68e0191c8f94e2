//! Which processes of PostgreSQL work on a data folder.
//!
//! A process number alone says nothing: numbers are used again. But PostgreSQL and every process of it
//! makes the data folder its working folder, and no other PostgreSQL does.

use std::path::Path;

/// The processes of PostgreSQL whose working folder this is. The folder's path is free of links.
#[cfg(target_os = "linux")]
pub(crate) fn servers_in(pgdata: &Path) -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|&pid| linux::is_server_in(pid, pgdata))
        .collect()
}

/// Whether this process is one of them.
#[cfg(target_os = "linux")]
pub(crate) fn is_server_in(pid: i32, pgdata: &Path) -> bool {
    linux::is_server_in(pid, pgdata)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsString;
    use std::fs;
    use std::io;
    use std::os::unix::ffi::OsStringExt as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use crate::user::ServerUser;

    pub(super) fn is_server_in(pid: i32, pgdata: &Path) -> bool {
        let process = PathBuf::from(format!("/proc/{pid}"));
        // A person's shell may be in the folder as well. A process that ended just now has no folder.
        fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim_end() == "postgres")
            && working_folder(&process).is_ok_and(|folder| folder == pgdata)
    }

    fn working_folder(process: &Path) -> io::Result<PathBuf> {
        let link = process.join("cwd");
        match fs::read_link(&link) {
            // Root in a container may not look at another user's process (no CAP_SYS_PTRACE), but may
            // become that user, who may.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let owner = fs::metadata(process)?;
                let owner = ServerUser { uid: owner.uid(), gid: owner.gid(), switch: true };
                let mut command = Command::new("readlink");
                owner.assume(&mut command);
                let shown = command.arg("-n").arg(&link).output()?.stdout;
                Ok(PathBuf::from(OsString::from_vec(shown)))
            }
            other => other,
        }
    }
}

/// Elsewhere there is no `/proc`; `lsof` belongs to macOS.
#[cfg(not(target_os = "linux"))]
pub(crate) fn servers_in(pgdata: &Path) -> Vec<i32> {
    use std::os::unix::ffi::OsStrExt as _;

    let listed = std::process::Command::new("lsof")
        .args(["-a", "-c", "postgres", "-d", "cwd", "-F", "pn"])
        .output();
    let Ok(listed) = listed else { return Vec::new() };
    let mut pid: Option<i32> = None;
    let mut found = Vec::new();
    for line in listed.stdout.split(|&byte| byte == b'\n') {
        match line.split_first() {
            Some((b'p', number)) => {
                pid = std::str::from_utf8(number).ok().and_then(|text| text.parse().ok());
            }
            Some((b'n', folder)) if folder == pgdata.as_os_str().as_bytes() => found.extend(pid),
            _ => {}
        }
    }
    found
}

/// Whether this process is one of them.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_server_in(pid: i32, pgdata: &Path) -> bool {
    servers_in(pgdata).contains(&pid)
}
