//! What programs find that others have written: they begin at the server's address, and find all else by themselves.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::writing::{a_key_of_room, moved};
use super::{Dav, of_room};
use crate::harness::{a_practice, child, id_of, monday, utc};

/// A program of the environment.
fn program(name: &str) -> Command {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let program = target.join("python/caldav/bin").join(name);
    assert!(
        program.exists(),
        "{} is not there: `cargo xtask test` makes it, from tests/black_box/caldav/requirements.txt",
        program.display()
    );
    Command::new(program)
}

/// What a program says to whom this is said, which is what it ends well with.
#[track_caller]
fn ran(mut command: Command, said: &str) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let shown = format!("{command:?}");
    let mut child = child::spawn(command).unwrap();
    child.stdin.take().unwrap().write_all(said.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let [out, err] = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
    assert!(output.status.success(), "{shown}\n{out}\n{err}");
    out.into_owned()
}

#[test]
fn the_library_caldav_finds_the_calendar_and_what_is_in_it() {
    let practice = a_practice();
    let dav = of_room(&practice);
    let [first, second] = [8, 9].map(|hour| practice.booked(monday(hour, 0)));
    dav.members_once(&dav.calendar(), 2);
    let mut python = program("python");
    python.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("black_box/caldav/finds.py"));
    let at = |hour| utc(monday(hour, 0));
    let said = json!({
        "url": format!("{}/dav/", practice.api.url), "password": dav.password,
        "from": at(9), "to": at(10),
    });
    let found: Value = serde_json::from_str(&ran(python, &said.to_string())).unwrap();
    assert_eq!(found["calendars"], json!(["A room"]));
    let mut all = [id_of(&first), id_of(&second)];
    all.sort();
    assert_eq!(found["all"], json!(all));
    assert_eq!(found["some"], json!([id_of(&second)]));
    assert_eq!(found["components"], json!(["VEVENT"]));
}

/// A folder of a person whose programs know this calendar.
struct Desk {
    folder: TempDir,
    config: PathBuf,
}

impl Desk {
    fn of(dav: &Dav) -> Self {
        let folder = TempDir::new().unwrap();
        let (config, path) = (folder.path().join("vdirsyncer"), folder.path().display());
        let (url, password) = (&dav.api.url, &dav.password);
        let text = format!(
            "[general]\nstatus_path = \"{path}/status/\"\n\
             [pair daybook]\na = \"here\"\nb = \"there\"\ncollections = [\"from b\"]\nconflict_resolution = \"b wins\"\n\
             metadata = [\"displayname\"]\n\
             [storage here]\ntype = \"filesystem\"\npath = \"{path}/calendars/\"\nfileext = \".ics\"\n\
             [storage there]\ntype = \"caldav\"\nurl = \"{url}/\"\nusername = \"staff\"\npassword = \"{password}\"\n"
        );
        fs::write(&config, text).unwrap();
        let desk = Self { folder, config };
        ran(desk.vdirsyncer("discover"), &"y\n".repeat(10));
        desk
    }

    fn vdirsyncer(&self, what: &str) -> Command {
        let mut vdirsyncer = program("vdirsyncer");
        vdirsyncer.arg("-c").arg(&self.config).arg(what).env("HOME", self.folder.path());
        vdirsyncer
    }

    fn calendar(&self) -> PathBuf {
        let mut all = fs::read_dir(self.folder.path().join("calendars")).unwrap();
        all.next().expect("a calendar was found").unwrap().path()
    }

    /// The names of what is in the calendar after vdirsyncer has kept it in step.
    fn in_step(&self) -> Vec<String> {
        ran(self.vdirsyncer("sync"), "");
        let all = fs::read_dir(self.calendar()).unwrap();
        let files = all.map(|file| file.unwrap().path());
        let calendars = files.filter(|file| file.extension().is_some_and(|it| it == "ics"));
        let names = calendars.map(|file| file.file_name().unwrap().to_str().unwrap().to_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// What khal says.
    fn khal(&self, arguments: &[&str]) -> String {
        let config = self.folder.path().join("khal");
        let (calendar, path) = (self.calendar(), self.folder.path().display());
        let text = format!(
            "[calendars]\n[[daybook]]\npath = {}\n[sqlite]\npath = {path}/khal.db\n\
             [locale]\nlocal_timezone = UTC\ndefault_timezone = UTC\ntimeformat = %H:%M\n\
             dateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\ndatetimeformat = %Y-%m-%d %H:%M\n\
             longdatetimeformat = %Y-%m-%d %H:%M\n[default]\ndefault_calendar = daybook\n",
            calendar.display()
        );
        fs::write(&config, text).unwrap();
        let mut khal = program("khal");
        khal.arg("-c").arg(&config).args(arguments);
        khal.env("HOME", self.folder.path());
        ran(khal, "")
    }

    /// What khal shows of a day.
    fn shown(&self, day: &str) -> String {
        self.khal(&["list", "--format", "{start} {title}", day, "1d"])
    }
}

#[test]
fn vdirsyncer_keeps_in_step_and_khal_shows_it() {
    let practice = a_practice();
    let oslo = practice.a_resource(&json!({"time_zone": "Europe/Oslo", "name": "Oslo"}));
    let booking = |hour| practice.booking(monday(hour, 0)).with("resource_ids", json!([oslo]));
    let [first, second] =
        [8, 9].map(|hour| booking(hour).with("title", format!("At {hour}")).send().is(201));
    let key = super::key_with(&practice, &json!({"resource_ids": [oslo]}));
    let dav = Dav::by(&practice, &key);
    let calendar = dav.calendar();
    dav.members_once(&calendar, 2);
    let desk = Desk::of(&dav);
    let mut names = [&first, &second].map(|it| format!("{}.ics", id_of(it)));
    names.sort();
    assert_eq!(desk.in_step(), names);
    assert_eq!(desk.in_step(), names, "nothing has changed");
    let day = monday(0, 0).format("%Y-%m-%d").to_string();
    let shown = desk.shown(&day);
    for hour in [8, 9] {
        assert!(shown.contains(&format!("{day} {hour:02}:00 At {hour}")), "{shown}");
    }
    practice.act(&first, "reschedule", &json!({"start_at": utc(monday(11, 0))})).is(200);
    practice.act(&second, "cancel", &json!({"by": "staff"})).is(200);
    dav.members_once(&calendar, 1);
    crate::harness::eventually("it has moved", || {
        let got = dav.request("GET", &super::member(&calendar, &first)).send();
        got.text.contains("SEQUENCE:1\r\n").then_some(())
    });
    assert_eq!(desk.in_step(), [format!("{}.ics", id_of(&first))]);
    let shown = desk.shown(&day);
    assert!(shown.contains(&format!("{day} 11:00 At 8")) && !shown.contains("At 9"), "{shown}");
}

#[test]
fn what_is_changed_with_vdirsyncer_and_khal_is_so_here() {
    let practice = a_practice();
    let [moves, goes] = [8, 9].map(|hour| practice.booked(monday(hour, 0)));
    let dav = a_key_of_room(&practice, &["appointments", "book", "manage", "personal"]);
    let calendar = dav.calendar();
    dav.members_once(&calendar, 2);
    let desk = Desk::of(&dav);
    assert_eq!(desk.in_step().len(), 2);
    let file = |appointment: &Value| desk.calendar().join(format!("{}.ics", id_of(appointment)));
    let text = fs::read_to_string(file(&moves)).unwrap();
    fs::write(file(&moves), moved(&text, monday(14, 0))).unwrap();
    fs::remove_file(file(&goes)).unwrap();
    let day = monday(0, 0).format("%Y-%m-%d").to_string();
    let from = format!("{day} 11:00");
    desk.khal(&["new", "-a", "daybook", &from, &format!("{day} 12:00"), "Training"]);
    desk.in_step();
    assert_eq!(practice.appointment(&id_of(&moves))["start_at"], utc(monday(14, 0)));
    assert_eq!(practice.appointment(&id_of(&goes))["status"], "cancelled");
    let room = practice.api.get(&format!("/v1/resources/{}", practice.room)).send().is(200);
    let [off] = &room["exceptions"].as_array().unwrap()[..] else { panic!("{room}") };
    let span = json!({"from": format!("{day}T11:00"), "to": format!("{day}T12:00")});
    assert_eq!((&off["hours"], &off["reason"]), (&span, &json!("Training")));
    // What khal has called it is called otherwise here, and once.
    let mut names = [&moves, off].map(|it| format!("{}.ics", id_of(it)));
    names.sort();
    desk.in_step();
    assert_eq!(desk.in_step(), names);
    let shown = desk.shown(&day);
    assert_eq!(shown.matches("Training").count(), 1, "{shown}");
}
