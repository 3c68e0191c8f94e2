//! Public holidays: set by hand, and imported from an iCalendar file.

use std::fs;
use std::path::PathBuf;

use chrono::{Datelike as _, TimeDelta};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Place;
use crate::harness::{Finished, Server, date, monday};

#[test]
fn on_a_holiday_the_weekly_hours_do_not_count_but_extra_hours_do() {
    let place = Place::in_zone("UTC", &["mon,tue 09:00-17:00"]);
    let holidays = json!([{"date": date(1), "name": "Second day"},
                          {"date": date(0), "name": "First day"}]);
    let resource = place.observe(&holidays).is(200);
    let shown: Vec<_> = resource["holidays"].as_array().unwrap().iter().collect();
    assert_eq!(
        shown.iter().map(|day| &day["name"]).collect::<Vec<_>>(),
        ["First day", "Second day"]
    );
    assert!(shown.iter().all(|day| day["id"].as_str().is_some_and(|id| id.len() == 36)));
    assert_eq!(place.resource(), resource);
    place.is_closed(monday(10, 0));
    place.is_closed(monday(10, 0) + TimeDelta::days(1));
    place.is_open(monday(10, 0) + TimeDelta::days(7));
    let (from, to) = (format!("{}T10:00", date(0)), format!("{}T11:00", date(0)));
    place.add(&json!({"kind": "extra-hours", "hours": {"from": from, "to": to}})).is(201);
    place.is_open(monday(10, 0));
    place.is_closed(monday(11, 0));

    // The list is replaced; a holiday that is given by its id keeps it.
    let kept = json!([shown[1]]);
    assert_eq!(place.observe(&kept).is(200)["holidays"], kept);
    place.is_open(monday(12, 0));
    assert_eq!(place.observe(&json!([])).is(200)["holidays"], json!([]));
    place.is_open(monday(10, 0) + TimeDelta::days(1));
}

/// Files of holidays, and the program that imports them into a place's tenant.
struct Importer {
    folder: TempDir,
    tenant: String,
}

impl Importer {
    fn of(place: &Place) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, tenant: place.practice.tenant.clone() }
    }

    fn file(&self, events: &[&str]) -> PathBuf {
        let event = |lines: &&str| format!("BEGIN:VEVENT\n{lines}\nEND:VEVENT\n");
        let events: String = events.iter().map(event).collect();
        let text =
            format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//t//EN\n{events}END:VCALENDAR\n");
        let path = self.folder.path().join("holidays.ics");
        fs::write(&path, text.replace('\n', "\r\n")).unwrap();
        path
    }

    fn run(&self, events: &[&str], resources: &[&str]) -> Finished {
        let file = self.file(events);
        let head = ["holidays", "import", file.to_str().unwrap(), "--tenant", &self.tenant];
        Server::shared().database.run(&[&head[..], resources].concat())
    }
}

fn day(uid: &str, name: &str, date: chrono::NaiveDate) -> String {
    format!("UID:{uid}\nSUMMARY:{name}\nDTSTART;VALUE=DATE:{}", date.format("%Y%m%d"))
}

fn dates(resource: &Value) -> Vec<&str> {
    let holidays = resource["holidays"].as_array().unwrap();
    holidays.iter().map(|holiday| holiday["date"].as_str().unwrap()).collect()
}

#[test]
fn a_file_of_holidays_closes_the_resources_that_are_named_and_changes_nothing_the_second_time() {
    let place = Place::in_zone("UTC", &["mon,tue 09:00-17:00"]);
    let other = place.practice.room.clone();
    let importer = Importer::of(&place);
    let two_days = day("feast", "The feast", date(0));
    let two_days = format!("{two_days}\nDTEND;VALUE=DATE:{}", date(2).format("%Y%m%d"));
    let meeting =
        "UID:meeting\nSUMMARY:A meeting\nDTSTART:20270101T090000Z\nDTEND:20270101T100000Z";
    let events = [&*two_days, meeting];
    let named = ["--resource", &*place.resource];
    let first = importer.run(&events, &named);
    assert!(first.stdout.contains("line 10: A meeting: a holiday is whole days"), "{first:#?}");
    let line = "holidays 2, refused 1; resources changed 1, unchanged 0, failed 0";
    assert_eq!(first.last_line(), line);
    first.succeeded();
    let resource = place.resource();
    assert_eq!(resource["version"], 2);
    assert_eq!(dates(&resource), [date(0).to_string(), date(1).to_string()]);
    assert_eq!(resource["holidays"][0]["name"], "The feast");
    place.is_closed(monday(10, 0));
    place.is_closed(monday(10, 0) + TimeDelta::days(1));
    place.is_open(monday(10, 0) + TimeDelta::days(7));
    place.practice.booking(monday(10, 0)).send().is(201);

    let again = importer.run(&events, &named);
    let line = "holidays 2, refused 1; resources changed 0, unchanged 1, failed 0";
    assert_eq!(again.last_line(), line, "{again:#?}");
    assert_eq!(place.resource(), resource);

    // Another file adds to it, and one in which the day has moved moves it.
    let moved = day("feast", "The feast", date(7));
    importer.run(&[&day("fast", "The fast", date(3)), &moved], &["--resource", &other]).succeeded();
    importer.run(&[&day("fast", "The fast", date(3)), &moved], &named).succeeded();
    let expected = [date(1), date(3), date(7)].map(|date| date.to_string());
    assert_eq!(dates(&place.resource()), expected);
    place.is_open(monday(10, 0));
    place.is_closed(monday(12, 0) + TimeDelta::days(7));
}

#[test]
fn a_yearly_holiday_closes_every_resource_that_takes_bookings_this_year_and_the_next_five() {
    let place = Place::in_zone("UTC", &["daily 09:00-17:00"]);
    let retired = place.practice.a_room();
    let path = format!("/v1/resources/{retired}");
    place.practice.api.post(&format!("{path}/retire"), &json!({})).send().is(200);
    let importer = Importer::of(&place);
    let yearly = "UID:labour\nSUMMARY:Labour Day\nDTSTART;VALUE=DATE:20000501\nRRULE:FREQ=YEARLY";
    let done = importer.run(&[yearly], &["--all"]);
    let line = "holidays 6, refused 0; resources changed 2, unchanged 0, failed 0";
    assert_eq!(done.last_line(), line, "{done:#?}");
    let resource = place.resource();
    let days = dates(&resource);
    assert_eq!(days.len(), 6);
    assert!(days.iter().all(|day| day.ends_with("-05-01")), "{days:?}");
    // A run can go on into the next year.
    let this_year = (monday(0, 0) - TimeDelta::days(28)).year();
    assert!(days[0].starts_with(&this_year.to_string()) || days[0] < &*date(0).to_string());
    assert_eq!(place.practice.api.get(&path).send().is(200)["holidays"], json!([]));
    let again = importer.run(&[yearly], &["--all"]);
    let line = "holidays 6, refused 0; resources changed 0, unchanged 2, failed 0";
    assert_eq!(again.last_line(), line);
}

#[test]
fn what_cannot_be_imported_is_a_clear_error_and_changes_nothing() {
    let place = Place::in_zone("UTC", &["mon 09:00-17:00"]);
    let importer = Importer::of(&place);
    let events = [&*day("feast", "The feast", date(0))];
    let nobody = "01890000-0000-7000-8000-000000000000";
    let unknown = importer.run(&events, &["--resource", nobody]);
    assert!(
        unknown.stdout.contains(&format!("{nobody}: there is no such resource")),
        "{unknown:#?}"
    );
    unknown.failed();
    assert!(importer.run(&events, &[]).failed().contains("--resource"));
    let elsewhere = Importer { tenant: "nowhere".to_owned(), ..Importer::of(&place) };
    assert!(elsewhere.run(&events, &["--all"]).failed().contains("no tenant nowhere"));
    let file = importer.file(&events);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, &text[..text.len() - 20]).unwrap();
    let path = file.to_str().unwrap();
    let cut = ["holidays", "import", path, "--tenant", &*importer.tenant, "--all"];
    let complaint = Server::shared().database.run(&cut).failed();
    assert!(complaint.contains("holidays.ics") && complaint.contains("truncated"), "{complaint}");
    assert_eq!(place.resource()["version"], 1);
}
