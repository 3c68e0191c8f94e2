//! Where PostgreSQL's programs usually are. Distributions keep `initdb` out of PATH, in a folder that
//! has the version in its name.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders with the version in their middle: what comes before it, and after.
const VERSIONED: &[(&str, &str, &str)] = &[
    // Debian, Ubuntu.
    ("/usr/lib/postgresql", "", "bin"),
    // Red Hat, from the PostgreSQL project's own repository.
    ("/usr", "pgsql-", "bin"),
    // Alpine.
    ("/usr/libexec", "postgresql", ""),
    // Homebrew, on Apple's processors and on Intel's.
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
];

/// Folders without a version: built by hand, and Postgres.app.
const PLAIN: &[&str] =
    &["/usr/local/pgsql/bin", "/Applications/Postgres.app/Contents/Versions/latest/bin"];

/// PATH first, then the usual places.
pub(super) fn all() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        // A relative folder is a different one wherever we are.
        .filter(|folder| folder.is_absolute())
        .chain(
            VERSIONED
                .iter()
                .flat_map(|(parent, name, below)| versioned(Path::new(parent), name, below)),
        )
        .chain(PLAIN.iter().map(PathBuf::from))
        .collect()
}

/// `parent/name*/below`, sorted, so that two runs choose the same.
fn versioned(parent: &Path, name: &str, below: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(name))
        .map(|entry| entry.path().join(below))
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_in_the_middle_is_found() {
        let root = tempfile::tempdir().unwrap();
        for name in ["pgsql-16", "pgsql-15", "share"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        let expected = ["pgsql-15/bin", "pgsql-16/bin"].map(|path| root.path().join(path));
        assert_eq!(versioned(root.path(), "pgsql-", "bin"), expected);
    }
}
