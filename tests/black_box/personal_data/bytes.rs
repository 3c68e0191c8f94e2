//! Every byte that is kept anywhere is searched for what was known of somebody who is erased: the data folder as PostgreSQL has it,
//! with its write-ahead log and its own log, a dump, exports, what the program logs; and what each route says at each position.
//!
//! Not searched: memory, swap, and what the file system has of files that are deleted.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::json;

use super::titles::{self, Discreet};
use super::{MARKS, Marked, OF_STAFF, TITLE, marked};
use crate::harness::{Api, Database, Practice, Server, date};

/// What is noted in a file that is imported, and by whom it is attended: these are nobody's who is erased here.
const IMPORTED: [&str; 2] = ["Whisperfield", "Zw\u{f6}nitzer"];

/// The control: what a room is called is written in clear.
const CONTROL: &str = "Plainmarkedroom";

/// What texts look like in bytes, each with the text that it is of.
struct Forms {
    all: Vec<(String, Vec<u8>)>,
    /// Which of them begin with these two bytes.
    by_beginning: Vec<Vec<usize>>,
}

impl Forms {
    fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = Vec::new();
        for text in texts {
            all.extend(forms(text).into_iter().map(|form| (text.to_owned(), form)));
        }
        let mut by_beginning = vec![Vec::new(); 1 << 16];
        for (n, (_, form)) in all.iter().enumerate() {
            by_beginning[usize::from(u16::from_be_bytes([form[0], form[1]]))].push(n);
        }
        Self { all, by_beginning }
    }

    /// The first of the texts that are there, in whatever form.
    fn found(&self, bytes: &[u8]) -> Option<&str> {
        for (at, pair) in bytes.windows(2).enumerate() {
            for n in &self.by_beginning[usize::from(u16::from_be_bytes([pair[0], pair[1]]))] {
                let (text, form) = &self.all[*n];
                if bytes[at..].starts_with(form) {
                    return Some(text);
                }
            }
        }
        None
    }
}

/// As it is, in lower and upper case; in UTF-8, UTF-16, hexadecimal digits, JSON with escapes, and base64 wherever it begins in it.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for text in [text.to_owned(), text.to_lowercase(), text.to_uppercase()] {
        let utf8 = text.as_bytes();
        let utf16: Vec<u16> = text.encode_utf16().collect();
        forms.push(utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect());
        forms.push(utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect());
        let hex = utf8.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        forms.push(hex.into_bytes());
        let escaped = utf16.iter().fold(String::new(), |said, unit| match u8::try_from(*unit) {
            Ok(byte) if byte.is_ascii() => said + &char::from(byte).to_string(),
            _ => format!("{said}\\u{unit:04x}"),
        });
        forms.push(escaped.into_bytes());
        for before in 0..3 {
            let shifted = [vec![0; before], utf8.to_vec()].concat();
            let encoded = STANDARD_NO_PAD.encode(&shifted);
            // What depends on its neighbours is left away.
            let whole = shifted.len() / 3 * 4;
            let first = if before == 0 { 0 } else { before + 1 };
            // A few letters are found by chance where much is ciphertext.
            let form = &encoded.as_bytes()[first..whole];
            forms.extend((form.len() >= 8).then(|| form.to_vec()));
        }
        forms.push(utf8.to_vec());
    }
    forms
}

#[test]
fn each_form_of_a_mark_is_found() {
    let mark = "Zw\u{f6}nitzer";
    let forms = Forms::of([mark]);
    assert_eq!(forms.found(b"nothing of the kind"), None);
    let json = "{\"name\": \"Zw\\u00f6nitzer\"}";
    let utf16: Vec<u8> = mark.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut there = vec![json.as_bytes().to_vec(), utf16, mark.to_lowercase().into_bytes()];
    for before in ["", "a", "ab", "abc"] {
        there.push(STANDARD_NO_PAD.encode(format!("{before}{mark} and more")).into_bytes());
    }
    for bytes in there {
        assert_eq!(forms.found(&bytes), Some(mark), "{}", String::from_utf8_lossy(&bytes));
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files
}

/// In which files the texts are.
fn found_in(folder: &Path, forms: &Forms) -> Vec<(PathBuf, String)> {
    let found = |path: PathBuf| {
        let text = forms.found(&fs::read(&path).unwrap())?.to_owned();
        Some((path, text))
    };
    files(folder).into_iter().filter_map(found).collect()
}

/// All of the database as a program of PostgreSQL's own writes it.
fn dumped(database: &Database) -> Vec<u8> {
    let beside = database.postmaster().map(|pid| format!("/proc/{pid}/exe"));
    let beside = beside.and_then(|exe| fs::read_link(exe).ok()?.parent().map(Path::to_owned));
    let mut paths: Vec<PathBuf> = beside.into_iter().collect();
    paths.extend(env::split_paths(&env::var_os("PATH").unwrap()));
    let program = paths.iter().map(|folder| folder.join("pg_dump")).find(|path| path.is_file());
    let program = program.expect("the tests need pg_dump, of the package of psql");
    let url = database.run(&["url"]).succeeded();
    let dump = Command::new(program).args(["--inserts", "--dbname", url.trim()]).output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    dump.stdout
}

fn a_calendar() -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//a//b//EN\r\nBEGIN:VEVENT\r\nUID:1@example.org\r\n\
         DTSTAMP:20260101T000000Z\r\nDTSTART:20260601T090000Z\r\nDTEND:20260601T100000Z\r\nSUMMARY:Visit\r\n\
         DESCRIPTION:About {}\r\nATTENDEE;CN={}:mailto:visitor@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        IMPORTED[0], IMPORTED[1]
    )
}

/// What each route says of a client and their appointment, at a moment.
fn told(api: &Api, marked: &Marked, moment: &str) -> String {
    let Marked { client, appointment, practice } = marked;
    let room = &practice.room;
    let paths = [
        format!("/v1/clients/{client}?{moment}"),
        format!("/v1/clients?{moment}"),
        format!("/v1/clients/{client}/history?{moment}"),
        format!("/v1/appointments/{appointment}?{moment}&expand=client"),
        format!("/v1/appointments/{appointment}/events?{moment}"),
        format!("/v1/appointments?{moment}&expand=client"),
        format!("/v1/agenda?resource_id={room}&date={}&{moment}&expand=client", date(0)),
        format!("/v1/conflicts?{moment}"),
    ];
    let all = paths.iter().map(|path| {
        let answer = api.get(path).send();
        // Before they were made they are not there.
        assert!([200, 404].contains(&answer.status), "{path}: {answer:#?}");
        answer.text
    });
    all.collect::<Vec<_>>().join("\n")
}

/// Uses all that there is on what is known of somebody, and erases them.
fn used_and_erased(server: &Server, folder: &Path) -> (Marked, u64) {
    let marked = marked(Practice::on(server));
    let discreet = Discreet::on(server);
    let practice = &marked.practice;
    practice.a_resource(&json!({"name": CONTROL}));
    let import = practice.api.request("POST", "/v1/imports").body("text/calendar", a_calendar());
    assert_eq!(import.send().is(201)["counts"]["booked"], 1);
    let head = marked.head();
    let search = json!({"email": "quaxly@example.org", "name": "quaxly"});
    let found = practice.api.post(&format!("/v1/clients/search?min_position={head}"), &search);
    assert_eq!(found.send().is(200)["items"].as_array().unwrap().len(), 1);
    let forms = Forms::of(MARKS);
    let before = told(&practice.api, &marked, &format!("as_of=position:{head}"));
    assert!(forms.found(before.as_bytes()).is_some(), "it is told before: {before}");
    marked.erase(&json!({"reason": "requested", "upcoming": "cancel"})).is(200);
    discreet.erase().is(200);
    // What is exported and replayed from now on.
    let export = practice.api.get("/v1/events/export?format=csv&personal=told").send();
    fs::write(folder.join("export.csv"), export.text).unwrap();
    fs::write(folder.join("feed.json"), marked.personal_feed()).unwrap();
    (marked, head)
}

#[test]
fn of_somebody_who_is_erased_no_byte_is_left_that_says_anything() {
    let database = Database::embedded();
    let outside = tempfile::tempdir().unwrap();
    let server = Server::start(&database);
    let (marked, head) = used_and_erased(&server, outside.path());
    let forms = Forms::of(MARKS);
    for position in 1..=marked.head().max(head) {
        let said = told(&marked.practice.api, &marked, &format!("as_of=position:{position}"));
        assert_eq!(forms.found(said.as_bytes()), None, "at {position}: {said}");
    }
    database.run(&["projections", "rebuild", "--all"]).succeeded();
    let replayed = database.run(&["replay", "--tenant", &marked.practice.tenant]).succeeded();
    fs::write(outside.path().join("replay.json"), replayed).unwrap();
    let mut sql = database.sql();
    sql.run("VACUUM FULL");
    sql.run("CHECKPOINT");
    fs::write(outside.path().join("dump.sql"), dumped(&database)).unwrap();
    drop(sql);
    fs::write(outside.path().join("server.log"), server.log()).unwrap();
    server.interrupt();
    server.wait();

    let marks = MARKS.into_iter().chain(IMPORTED).chain([OF_STAFF]).chain(titles::MARKS);
    let marks = Forms::of(marks);
    let control = Forms::of([CONTROL]);
    assert!(!found_in(&database.data_dir(), &Forms::of([TITLE])).is_empty(), "a public title");
    let data = database.data_dir();
    // Who may be told is told why somebody is away, who is not erased.
    for (folder, marks) in [(data.as_path(), &marks), (outside.path(), &forms)] {
        assert_eq!(found_in(folder, marks), Vec::new());
        assert!(!found_in(folder, &control).is_empty(), "the control is found in {folder:?}");
    }
    // The write-ahead log is among what was searched, and has what is in clear.
    let log = data.join("postgres/pg_wal");
    assert!(!found_in(&log, &control).is_empty(), "{log:?}");
}
