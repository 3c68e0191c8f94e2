//! Lists the migrations of `../migrations` in the program, as `sqlx::migrate!` would: its feature of sqlx
//! builds sqlx and all below it a second time, for the compiler.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

const FOLDER: &str = "../migrations";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed={FOLDER}");
    let to = env::var("OUT_DIR").map_err(io::Error::other)?;
    let (folder, to) = (Path::new(FOLDER), Path::new(&to));
    fs::write(to.join("migrations.rs"), list(folder)?)?;
    fs::write(to.join("repeatable.rs"), list(&folder.join("repeatable"))?)
}

/// The folder's own files, in their order: a name and a text of each.
fn list(folder: &Path) -> io::Result<String> {
    let mut files: Vec<String> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()?;
    files.retain(|name| Path::new(name).extension().is_some_and(|it| it == "sql"));
    files.sort_unstable();
    let folder = fs::canonicalize(folder)?;
    let mut list = String::from("&[\n");
    for name in &files {
        let path = folder.join(name).display().to_string();
        let _ = writeln!(list, "    ({name:?}, include_str!({path:?})),");
    }
    list.push_str("]\n");
    Ok(list)
}
