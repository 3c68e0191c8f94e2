//! `GET /v1/events/export` and `daybook export`

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{events, positions};
use crate::harness::{Practice, Server, a_practice, date, monday};

/// A practice with something of most kinds of events in it.
fn a_busy_practice() -> Practice {
    let practice = a_practice();
    practice.a_client("Lovelace");
    for hour in 0..24 {
        let booking = practice.booking(monday(hour, 0));
        let tags = if hour % 3 == 0 { json!(["a \"quoted\", tag", "zwölf"]) } else { json!([]) };
        let booked =
            booking.with("tags", tags).with("title", "Lunch, \"late\"\u{a0}").send().is(201);
        if hour % 4 == 0 {
            practice.act(&booked, "cancel", &json!({"reason": "a\u{2028}cold"})).is(200);
        }
    }
    practice
}

/// What the API says that is in its events.
fn expected(events: &[Value]) -> Value {
    let bare = |event: &Value| event["type"].as_str().unwrap()["daybook.".len()..].to_owned();
    let booked: Vec<&Value> =
        events.iter().filter(|event| bare(event) == "AppointmentBooked").collect();
    let mut types = serde_json::Map::new();
    for event in events {
        let count = types.entry(bare(event)).or_insert(json!(0));
        *count = json!(count.as_u64().unwrap() + 1);
    }
    let instant = |text: &Value| text.as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let minutes = |event: &&Value| {
        let during = &event["data"]["slot"]["during"];
        (instant(&during["end_at"]) - instant(&during["start_at"])).num_minutes()
    };
    let length = |list: &Value| list.as_array().unwrap().len();
    let tagged = |event: &&&Value| {
        event["data"]["tags"].as_array().unwrap().contains(&json!("a \"quoted\", tag"))
    };
    json!({
        "count": events.len(), "first": 1, "last": events.len(), "types": types,
        "minutes": booked.iter().map(minutes).sum::<i64>(),
        "tags": booked.iter().map(|event| length(&event["data"]["tags"])).sum::<usize>(),
        "tagged": booked.iter().filter(tagged).count(),
        "resources":
            booked.iter().map(|event| length(&event["data"]["slot"]["resource_ids"])).sum::<usize>(),
        "services": 1,
    })
}

/// The Python that `cargo xtask test` has made for this.
fn python() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join("python/export/bin/python");
    assert!(
        python.exists(),
        "{} is not there: `cargo xtask test` makes it, from tests/black_box/events/requirements.txt",
        python.display()
    );
    python
}

/// What DuckDB and pyarrow find in a Parquet file.
fn found_in(file: &Path) -> Value {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("black_box/events/exported.py");
    let output = Command::new(python()).arg(program).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn without_columns(mut found: Value) -> (Value, Value) {
    let columns = found.as_object_mut().unwrap().remove("columns").unwrap();
    (found, columns)
}

#[test]
fn duckdb_and_pyarrow_find_in_the_parquet_file_what_the_api_says() {
    let practice = a_busy_practice();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("events.parquet");
    let name = file.to_str().unwrap();
    let arguments =
        ["export", "--tenant", &practice.tenant, "--format", "parquet", "--output", name];
    let said = Server::shared().database.run(&arguments).succeeded();
    assert_eq!(said, "", "it says nothing where a file may go");
    let all = events(&practice.api, "limit=1000");
    let expected = expected(&all);
    assert_eq!(expected["types"]["AppointmentCancelled"], 6);
    let found = found_in(&file);
    let (duckdb, columns) = without_columns(found["duckdb"].clone());
    assert_eq!(duckdb, expected);
    for (name, kind) in [
        ("recorded_at", "TIMESTAMP WITH TIME ZONE"),
        ("start_at", "TIMESTAMP WITH TIME ZONE"),
        ("tags", "VARCHAR[]"),
        ("position", "BIGINT"),
    ] {
        assert_eq!(columns[name], kind, "{columns}");
    }
    let (pyarrow, columns) = without_columns(found["pyarrow"].clone());
    assert_eq!(pyarrow, expected);
    assert_eq!(columns["recorded_at"], "timestamp[us, tz=UTC]", "{columns}");
    assert!(columns["tags"].as_str().unwrap().starts_with("list<"), "{columns}");
    let downloaded = practice.api.get("/v1/events/export?format=parquet").download();
    assert_eq!(downloaded, fs::read(&file).unwrap(), "the route writes the same file");
}

#[test]
fn an_export_as_lines_is_the_feed_and_one_as_csv_has_a_record_for_each() {
    let practice = a_busy_practice();
    let all = events(&practice.api, "limit=1000");
    let lines = practice.api.get("/v1/events/export").send();
    lines.has_status(200);
    let lines: Vec<Value> =
        lines.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, all);
    let csv = practice.api.get("/v1/events/export?format=csv&event_type=AppointmentBooked").send();
    assert!(csv.header("content-type").unwrap().starts_with("text/csv"), "{csv:#?}");
    let name = format!("attachment; filename=events-{}-{}.csv", practice.tenant, all.len());
    assert_eq!(csv.header("content-disposition"), Some(&*name));
    let mut records = csv::Reader::from_reader(csv.text.as_bytes());
    let rows: Vec<std::collections::HashMap<String, String>> =
        records.deserialize().map(|row| row.unwrap()).collect();
    let booked: Vec<&Value> =
        all.iter().filter(|event| event["type"] == "daybook.AppointmentBooked").collect();
    assert_eq!(rows.len(), booked.len());
    for (row, event) in rows.iter().zip(booked) {
        assert_eq!(row["position"], event["id"].as_str().unwrap());
        assert_eq!(row["recorded_at"], event["time"].as_str().unwrap());
        assert_eq!(row["title"], event["data"]["title"].as_str().unwrap());
        assert_eq!(serde_json::from_str::<Value>(&row["tags"]).unwrap(), event["data"]["tags"]);
        assert_eq!(serde_json::from_str::<Value>(&row["data"]).unwrap(), event["data"]);
    }
}

#[test]
fn the_program_exports_what_is_asked_for_and_no_name_unless_it_is_asked_for() {
    let practice = a_busy_practice();
    let database = &Server::shared().database;
    let export = |more: &[&str]| {
        let arguments = [&["export", "--tenant", &practice.tenant], more].concat();
        let said = database.run(&arguments).succeeded();
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    let all = events(&practice.api, "limit=1000");
    assert_eq!(export(&[]), all);
    let cancelled = events(&practice.api, "event_type=AppointmentCancelled");
    assert_eq!(export(&["--event-type", "AppointmentCancelled"]), cancelled);
    let from = all[10]["time"].as_str().unwrap();
    assert_eq!(positions(&export(&["--from", from]))[0], 11);
    assert!(export(&["--from", &date(0).to_string()]).is_empty());
    let named = |lines: &[Value]| lines.iter().any(|line| line["data"]["name"] == "Lovelace");
    assert!(!named(&export(&[])) && named(&export(&["--personal"])));
    let refused = database.run(&["export", "--tenant", "nobody-here"]).failed();
    assert!(refused.contains("there is no tenant nobody-here"), "{refused}");
    let refused =
        database.run(&["export", "--tenant", &practice.tenant, "--event-type", "Nothing"]);
    assert!(refused.failed().contains("there is no event type"));
}

#[test]
fn a_file_that_cannot_be_written_is_not_there() {
    let practice = a_practice();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("no/such/folder/events.csv");
    let name = file.to_str().unwrap();
    let arguments = ["export", "--tenant", &practice.tenant, "--format", "csv", "--output", name];
    let said = Server::shared().database.run(&arguments).failed();
    assert!(said.contains("cannot write"), "{said}");
    assert!(!file.exists());
}

#[test]
fn a_pipe_takes_an_export_as_it_comes_and_a_link_is_written_where_it_leads() {
    let practice = a_busy_practice();
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let export = |to: &Path| {
        let arguments = ["export", "--tenant", &practice.tenant, "--output", to.to_str().unwrap()];
        Server::shared().database.run(&arguments).succeeded();
    };
    let (pipe, file, link) = (path("pipe"), path("file"), path("link"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::read_to_string(pipe).unwrap())
    };
    export(&pipe);
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo(), "it is still a pipe");
    fs::write(&file, "before").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    export(&link);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "it is still a link");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "it is for its owner alone: {mode:o}");
    let exported = fs::read_to_string(&file).unwrap();
    assert_eq!(exported.lines().count(), events(&practice.api, "limit=1000").len());
    assert_eq!(reader.join().unwrap(), exported);
}
