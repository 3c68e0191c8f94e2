//! The README's example, run by a shell as it is written.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Database, program};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The shell's lines below a heading of the README.
fn block(heading: &str) -> String {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let (_, section) = readme.split_once(&format!("\n## {heading}\n")).expect("the heading");
    let (_, block) = section.split_once("\n```sh\n").expect("a block");
    block.split_once("\n```").expect("its end").0.to_owned()
}

/// What a clone has after `cargo build --release`: here that is the program under test.
fn a_built_clone() -> TempDir {
    let clone = tempfile::tempdir().unwrap();
    let release = clone.path().join("target/release");
    fs::create_dir_all(&release).unwrap();
    symlink(program("daybook"), release.join("daybook")).unwrap();
    symlink(repository().join("tests"), clone.path().join("tests")).unwrap();
    let cargo = clone.path().join("cargo");
    fs::write(&cargo, "#!/bin/sh\ntest \"$*\" = 'build --release'\n").unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    clone
}

/// An address that was free a moment ago.
fn a_free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn the_example_with_a_conference_can_be_pasted_into_a_shell() {
    let block = block("Try it with a conference");
    let clone = a_built_clone();
    let address = a_free_address();
    assert!(block.contains("http://127.0.0.1:8080/"), "it asks the server that it starts: {block}");
    let block_here = block.replace("127.0.0.1:8080", &address);
    // As somebody does who has lost track of what was pasted: the second server finds the first, and gives way.
    let again = block_here.replace("daybook serve &", "daybook serve & wait $! || true");
    let first = block_here.replace("daybook serve &", "daybook serve & SERVER=$!");
    let script = format!("SERVER=\ntrap 'kill $SERVER; wait' EXIT\n{first}\n{again}\n");
    let mut path = OsString::from(clone.path());
    path.push(":");
    path.push(env::var_os("PATH").unwrap());
    let environment = [("PATH", &*path), ("DAYBOOK_LISTEN", OsStr::new(&address))];
    let ran = Database::embedded().run_script(&script, clone.path(), &environment);

    let said = ran.stdout.clone();
    for promised in block.lines().filter_map(|line| line.strip_prefix("# ")) {
        assert!(said.lines().any(|line| line == promised), "{promised}: {ran:#?}");
    }
    assert!(said.contains("booked 0, already there 61, refused 0"), "the second time: {ran:#?}");
    let answers = said.lines().filter_map(|line| Some(&line[line.find(r#"{"items""#)?..]));
    let titles = answers.map(|answer| {
        // Without an end of line, so that what is said next follows on the same.
        let mut values = serde_json::Deserializer::from_str(answer).into_iter::<Value>();
        let page = values.next().unwrap().unwrap();
        let items = page["items"].as_array().unwrap().clone();
        items.into_iter().map(|item| item["title"].clone()).collect::<Vec<_>>()
    });
    let expected = ["Recurring events by hand", "Sundials for cloudy places"];
    let titles: Vec<_> = titles.collect();
    assert_eq!(titles, [expected, expected], "no answer, or there is no curl: {ran:#?}");
}
