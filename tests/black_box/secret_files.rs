//! Secrets that are in files, as containers are given theirs: `NAME_FILE` in place of `NAME`.

use std::ffi::OsString;
use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::harness::{Database, Practice, Server, monday, program, run};

/// The variables whose values no help shows.
fn secrets(of: &[&str]) -> Vec<String> {
    let help = Database::unreachable().run(of).succeeded();
    // Of others it says `[env: NAME=value]`.
    let shown = help.split("[env: ").skip(1).filter_map(|rest| rest.split(']').next());
    shown.filter(|name| !name.contains('=')).map(str::to_owned).collect()
}

/// A program that has its secrets in files.
fn by_files(database: &Database, arguments: &[&str], folder: &TempDir) -> Command {
    let mut command = database.daybook(arguments);
    let urls: Vec<(OsString, OsString)> = command
        .get_envs()
        .filter(|(name, _)| name.to_string_lossy().ends_with("DATABASE_URL"))
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    assert_eq!(urls.len(), 2, "of who works on rows, and of who makes tables");
    for (name, url) in urls {
        let path = folder.path().join(&name);
        // As an editor leaves it.
        fs::write(&path, format!("{}\n", url.to_str().unwrap())).unwrap();
        command.env_remove(&name).env(format!("{}_FILE", name.to_str().unwrap()), path);
    }
    command
}

#[test]
fn a_server_works_with_its_secrets_in_files() {
    let (database, folder) = (Database::fresh(), TempDir::new().unwrap());
    run(by_files(&database, &["migrate"], &folder)).succeeded();
    let serve = by_files(&database, &["serve", "--listen", "127.0.0.1:0"], &folder);
    Practice::on(&Server::start_command(&database, serve)).booked(monday(10, 0));
}

/// As a command that prints the master key may start one.
#[test]
fn a_daybook_that_such_a_server_starts_is_not_refused() {
    let (database, folder) = (Database::fresh(), TempDir::new().unwrap());
    run(by_files(&database, &["migrate"], &folder)).succeeded();
    let mut serve = by_files(&database, &["serve", "--listen", "127.0.0.1:0"], &folder);
    let another = format!("'{}' help > /dev/null", program("daybook").display());
    let key = format!("exec:{another} && printenv DAYBOOK_KEY_OF_TESTS");
    serve.env("DAYBOOK_MASTER_KEY", key);
    Practice::on(&Server::start_command(&database, serve)).booked(monday(10, 0));
}

#[test]
fn each_secret_can_be_in_a_file_and_not_in_both_places() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "secret").unwrap();
    let names = secrets(&["help", "serve"]);
    let known = ["REDIS", "AMQP", "SMTP", "DATABASE", "OWNER_DATABASE"];
    assert_eq!(names, known.map(|name| format!("DAYBOOK_{name}_URL")), "all that are secrets");
    for name in names {
        let file = format!("{name}_FILE");
        let serve = |own: Option<&str>, path: &str| {
            let mut command = Database::unreachable().daybook(&["serve"]);
            command.env("DAYBOOK_SMTP_FROM", "post@practice.example");
            command.env_remove(&name).env(&file, path);
            command.envs(own.map(|value| (&name, value)));
            run(command).one_sentence()
        };
        let both = serve(Some("secret://a"), path.to_str().unwrap());
        assert!(both.contains(&format!("{name} and {file} are both set")), "{both}");
        let missing = serve(None, "/nowhere/at-all");
        assert!(missing.contains(&format!("{file} /nowhere/at-all: No such file")), "{missing}");
        let of_the_file = serve(None, path.to_str().unwrap());
        assert!(!both.contains("secret://a") && !of_the_file.contains("daybook: secret"));
        let written_there = serve(None, "https://me:secret@127.0.0.1/");
        assert!(written_there.contains(&format!("{file} is a URL")), "{written_there}");
        assert!(!written_there.contains("me:secret"), "{written_there}");
        // Compose passes on what is not there as an empty text: that is not set.
        let passed_on = serve(Some(""), "/nowhere/at-all");
        assert!(passed_on.contains("No such file"), "{passed_on}");
    }
}

#[test]
fn a_file_that_is_empty_or_endless_is_no_secret() {
    for (path, why) in [("/dev/null", "it is empty"), ("/dev/zero", "no secret is so long")] {
        let mut command = Database::unreachable().daybook(&["migrate"]);
        command.env_remove("DAYBOOK_DATABASE_URL").env("DAYBOOK_DATABASE_URL_FILE", path);
        let said = run(command).one_sentence();
        assert!(said.contains("DAYBOOK_DATABASE_URL_FILE") && said.contains(why), "{said}");
    }
}

#[test]
fn a_url_of_another_kind_is_refused_in_one_sentence_and_not_repeated() {
    for option in ["--redis-url", "--amqp-url", "--smtp-url"] {
        let url = "mysql://me:secret@127.0.0.1/daybook";
        let from = ["--smtp-from", "post@practice.example"];
        let serve = ["serve", "--listen", "127.0.0.1:0", option, url];
        let said = Database::unreachable().run(&[&serve[..], &from].concat()).one_sentence();
        assert!(said.contains(option) && said.contains("://"), "{said}");
        assert!(!said.contains("secret") && !said.contains("mysql"), "{said}");
    }
}
