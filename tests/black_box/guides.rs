//! The guides that can be pasted into a shell, run by one as they are written, twice on the same daybook.

use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::{env, fs};

use tempfile::TempDir;

use crate::harness::{Database, Finished, Server, program};
use crate::relay::broker::Rabbit;
use crate::relay::python;

/// The shell's lines of a guide, whose server is at this address.
fn script(guide: &str, server: &Server) -> String {
    let guides = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides");
    let text = fs::read_to_string(guides.join(guide)).unwrap();
    assert!(text.contains("\nURL=http://127.0.0.1:8080/v1\n"), "{guide} says where the API is");
    let blocks = text.split("\n```sh\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    let lines: Vec<_> = blocks.collect();
    lines.join("\n").replace("http://127.0.0.1:8080", &server.url)
}

/// A folder in which `daybook` is the program under test.
fn a_folder_with_daybook() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    symlink(program("daybook"), folder.path().join("daybook")).unwrap();
    folder
}

/// A program of this name, of a line of shell.
fn program_that(folder: &TempDir, name: &str, does: &str) {
    let path = folder.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{does}\n")).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
}

fn paste(database: &Database, folder: &TempDir, script: &str) -> Finished {
    let mut path = OsString::from(folder.path());
    path.push(":");
    path.push(env::var_os("PATH").unwrap());
    database.run_script(script, folder.path(), &[("PATH", &path)])
}

/// The problems that were answered, in turn.
fn problems(ran: &Finished) -> Vec<&str> {
    let all = ran.stdout.split("urn:daybook:problem:").skip(1);
    all.map(|rest| rest.split(|c: char| !c.is_ascii_lowercase() && c != '-').next().unwrap())
        .collect()
}

/// The guides, and what they tell is refused, the first time and the second.
const GUIDES: [(&str, [&[&str]; 2]); 12] = [
    ("broker.md", [&[], &[]]),
    ("cache.md", [&[], &[]]),
    ("calendars.md", [&[], &[]]),
    ("clinic.md", [&["role-taken"], &["role-taken"]]),
    // There are four lifts the second time, of which two are taken.
    ("garage.md", [&["role-taken"], &["role-taken"]]),
    ("history.md", [&[], &[]]),
    ("migrate.md", [&[], &[]]),
    ("notices.md", [&[], &[]]),
    ("reminders.md", [&[], &[]]),
    ("templates.md", [&[], &[]]),
    ("webhooks.md", [&[], &[]]),
    // The second time there are two teachers and two halls: a second session finds the others.
    ("yoga.md", [&["role-taken", "session-full"], &["session-full"]]),
];

/// Runs a guide twice, and says what it printed.
fn works_twice(guide: &str) -> [String; 2] {
    let database = Database::fresh();
    let server = Server::start_with(&database, &["--allow-insecure-webhooks"]);
    let folder = a_folder_with_daybook();
    works_twice_in(&folder, guide, &database, &script(guide, &server))
}

fn works_twice_in(folder: &TempDir, guide: &str, database: &Database, script: &str) -> [String; 2] {
    let (_, refusals) = GUIDES.iter().find(|(name, _)| *name == guide).unwrap();
    refusals.map(|refused| {
        let ran = paste(database, folder, script);
        assert_eq!(ran.code, Some(0), "{guide}: {ran:#?}");
        assert_eq!(problems(&ran), refused, "{guide}: {ran:#?}");
        for failed in ["jq: ", "curl: "] {
            assert!(!ran.stderr.contains(failed), "{guide}: {ran:#?}");
        }
        ran.stdout
    })
}

#[test]
fn the_clinic_works_twice() {
    works_twice("clinic.md");
}

#[test]
fn the_garage_works_twice() {
    works_twice("garage.md");
}

#[test]
fn the_yoga_studio_works_twice() {
    works_twice("yoga.md");
}

#[test]
fn what_is_cached_is_seen_to_be_so_twice() {
    for printed in works_twice("cache.md") {
        let lines: Vec<&str> = printed.lines().collect();
        let figures = |appointments: u32| {
            let minutes = 60 * appointments;
            format!("{{\"booked_minutes\":{minutes},\"appointments\":{appointments}}}")
        };
        let [one, two] = [1, 2].map(figures);
        assert_eq!(lines, [&*one, "304", "200", &*two, &*one, &*two]);
    }
}

#[test]
fn a_calendar_is_followed_twice() {
    for printed in works_twice("calendars.md") {
        let lines: Vec<&str> = printed.lines().collect();
        let [first, rest @ ..] = &lines[..] else { panic!("{printed}") };
        assert_eq!(*first, "SUMMARY:Massage (Ada)", "{printed}");
        let [rest @ .., principal] = rest else { panic!("{printed}") };
        assert_eq!(rest, ["304", "SUMMARY:Busy", "404"], "{printed}");
        assert!(principal.starts_with("/dav/") && principal.ends_with('/'), "{printed}");
    }
}

#[test]
fn clients_are_written_in_other_words_twice() {
    for printed in works_twice("templates.md") {
        for told in [
            r#"{"words":"own","subject":"Reminder: Check-up on Monday 1 March 2027 at 09:00"}"#,
            "vi venter deg 1. mars kl. 09:00, 12 High Street, first floor.",
            r#"{"part":"text","line":1,"column":10,"fault":"unknown"}"#,
            r#"["default","nb"]"#,
            r#"{"words":"template","language":"default","subject":"See you on 2027-03-01"}"#,
        ] {
            assert!(printed.contains(told), "{told}\n{printed}");
        }
    }
}

#[test]
fn reminders_work_twice() {
    let [printed, _] = works_twice("reminders.md");
    for told in [
        r#"{"language":"nb","reminders":"none"}"#,
        r#"{"subject":"Påminnelse: Check-up","text":"Hei Ada Example,\n\nvi venter deg kl. 09:00.\n"}"#,
        r#"{"kind":"reminder","language":"nb"}"#,
        r#""rule":{"before_days":1,"time":"18:00","channel":"email"}"#,
        r#"{"status":"asked","attempts":0}"#,
        r#"["daybook.ReminderAsked"]"#,
    ] {
        assert!(printed.contains(told), "{told}: {printed}");
    }
}

#[test]
fn clients_are_told_twice() {
    for printed in works_twice("notices.md") {
        let lines: Vec<&str> = printed.lines().collect();
        let told = [
            r#"{"notices":"email"}"#,
            r#"{"kind":"confirmation","language":"default"}"#,
            r#"{"words":"template","subject":"Booked: Check-up"}"#,
            r#"{"notices":true}"#,
            "[]",
        ];
        assert_eq!(lines, told);
    }
}

#[test]
fn an_endpoint_is_told_twice() {
    for printed in works_twice("webhooks.md") {
        let lines: Vec<&str> = printed.lines().collect();
        let told = ["daybook.ClientRegistered", "daybook.ClientContactChanged"];
        assert_eq!(lines[..2], told, "{printed}");
        assert!(lines.contains(&r#"{"attempt":1,"status":204,"failure":null}"#), "{printed}");
        // Whatever was told before, too, the second time.
        assert_eq!(lines.last(), Some(&r#"{"url":true}"#), "{printed}");
    }
}

#[test]
fn a_copy_is_kept_twice() {
    let (rabbit, database) = (Rabbit::start(), Database::fresh());
    let server = Server::start_with(&database, &["--amqp-url", &rabbit.url()]);
    let folder = a_folder_with_daybook();
    let consumer = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/consumer/consumer.py");
    symlink(consumer, folder.path().join("consumer.py")).unwrap();
    let python = python().get_program().to_str().unwrap().to_owned();
    program_that(&folder, "python3", &format!("exec {python} \"$@\""));
    let here = "amqp://guest:guest@127.0.0.1:5672/%2f";
    let script = script("broker.md", &server).replace(here, &rabbit.url());
    assert!(script.contains("--idle 2 "), "the guide says when the consumer ends");
    // A machine that has much to do delivers late.
    let script = script.replace("--idle 2 ", "--idle 10 ");
    for (nth, printed) in
        works_twice_in(&folder, "broker.md", &database, &script).iter().enumerate()
    {
        let (first, last) = (2 * nth + 1, 2 * nth + 2);
        // The second time what was published again waits in the queue, too.
        let [position, _, verified, _, copied, replayed, again, _] =
            &printed.lines().collect::<Vec<_>>()[..]
        else {
            panic!("{printed}")
        };
        assert_eq!(*position, format!("copied  {last} of {last}"));
        let whole = ", missing: 0, not as in the log: 0, again: 0";
        assert_eq!(*verified, format!("copied  {first} to {last}{whole}"));
        assert_eq!(*copied, format!("urn:daybook:log:copied {last}"));
        assert_eq!(*replayed, "1 logs are published again after 1");
        assert_eq!(*again, format!("copied  2 to {last}{whole}"));
    }
}

#[test]
fn history_works_twice() {
    works_twice("history.md");
}

#[test]
fn what_was_migrated_once_is_there_the_second_time() {
    let counts = |printed: &str| -> Vec<String> {
        printed.lines().filter(|line| line.starts_with("booked ")).map(str::to_owned).collect()
    };
    let [first, second] = works_twice("migrate.md");
    assert_eq!(
        counts(&first),
        [
            "booked 4, already there 0, refused 0",
            "booked 4, already there 0, refused 0",
            "booked 0, moved 1, already there 3, refused 0",
            "booked 2, already there 0, refused 0",
            "booked 2, already there 0, refused 0",
            "booked 2, already there 0, refused 1",
        ],
        "{first}"
    );
    assert_eq!(
        counts(&second),
        [
            "booked 0, already there 4, refused 0",
            "booked 0, already there 4, refused 0",
            "booked 0, already there 4, refused 0",
            "booked 0, already there 2, refused 0",
            "booked 0, already there 2, refused 0",
            "booked 0, already there 2, refused 1",
        ],
        "{second}"
    );
    for printed in [&first, &second] {
        let moved = r#"{"title":"Fitting","start_at":"2027-04-05T10:00:00Z"}"#;
        assert!(printed.lines().any(|line| line == moved), "{printed}");
        let listed = printed.lines().filter(|line| line.starts_with("2027-04-")).count();
        assert_eq!(listed, 10, "{printed}");
        for place in ["Front desk", "Treatment room", "Chair 1", "Chair 2"] {
            assert!(printed.lines().any(|line| line == place), "{place}: {printed}");
        }
    }
}

#[test]
fn every_guide_for_a_shell_is_among_them() {
    let guides = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides");
    let files = fs::read_dir(guides).unwrap().map(|entry| entry.unwrap().path());
    let for_a_shell = files.filter(|path| fs::read_to_string(path).unwrap().contains("\nURL="));
    let mut names: Vec<_> =
        for_a_shell.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names, GUIDES.map(|(name, _)| name));
}
