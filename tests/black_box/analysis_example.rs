//! `examples/analysis`, run as its README says on a database that was filled over HTTP.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Database, Practice, Server, Sql, date, eventually, monday};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Python that `cargo xtask test` has made for the example: `target/python/analysis` for a test in
/// `target/debug/deps`.
fn python() -> PathBuf {
    let us = env::current_exe().unwrap();
    let environment = us.ancestors().nth(3).unwrap().join("python/analysis");
    let made_from = fs::read_to_string(environment.join("made-from.txt")).unwrap_or_default();
    let wanted = repository().join("examples/analysis/requirements.txt");
    assert_eq!(
        made_from,
        fs::read_to_string(wanted).unwrap(),
        "{} has not what the example requires. `cargo xtask test` makes it, with python3 3.11 or later and \
         its module venv (Debian: `apt-get install python3-venv`), from PyPI.",
        environment.display()
    );
    environment.join("bin/python")
}

/// A user who may log in and has the role of analysts.
fn an_analyst(database: &Database, sql: &mut Sql) -> String {
    eventually("analysts have their rights", || {
        let granted = "SELECT count(*) FROM information_schema.role_table_grants
                        WHERE grantee = $1 AND table_schema = 'analytics'";
        (sql.number(granted, "daybook_analyst") == 4).then_some(())
    });
    sql.run(
        "CREATE ROLE quarterly_report LOGIN IN ROLE daybook_analyst;
         INSERT INTO analysts (tenant_id, role_name) VALUES ('*', 'quarterly_report')",
    );
    database.url_of("quarterly_report")
}

fn run(out: &Path, url: &str, tenant: &str) -> Result<String, String> {
    let days = [date(0).to_string(), date(6).to_string()];
    let mut command = Command::new(python());
    command.arg(repository().join("examples/analysis/analysis.py"));
    command.args(["--tenant", tenant, "--from", &days[0], "--to", &days[1], "--out"]).arg(out);
    // Fonts are looked for once, and kept for the next run.
    command.env("MPLCONFIGDIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("matplotlib"));
    let ran = command.env("ANALYSIS_DATABASE_URL", url).output().unwrap();
    let (stdout, stderr) = (ran.stdout, ran.stderr);
    if ran.status.success() {
        Ok(String::from_utf8(stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&stderr).into_owned())
    }
}

/// The rows of a CSV without quotes, each by the names of its columns.
fn rows(csv: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut lines = csv.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines.map(|line| names.iter().copied().zip(line.split(',')).collect()).collect()
}

/// A PNG says what it is, how large it is, and that it has come to its end (RFC 2083).
fn is_a_picture(file: &Path) -> bool {
    let bytes = fs::read(file).unwrap();
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    bytes.starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
        && (number(16), number(20)) == (1200, 480)
        && bytes.ends_with(b"IEND\xaeB`\x82")
}

fn close(csv: Option<&&str>, api: &Value) -> bool {
    let csv: f64 = csv.unwrap().parse().unwrap();
    (csv - api.as_f64().unwrap()).abs() < 1e-6 * csv.abs().max(1.0)
}

#[test]
fn the_example_finds_the_figures_of_the_api_and_draws_them() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let mut sql = database.sql();
    let url = an_analyst(&database, &mut sql);
    let practice = Practice::on(&server);
    let other = practice.a_resource(&json!({"capacity": 3}));
    for hour in 8..16 {
        let booked = practice.booked(monday(hour, 0));
        match hour % 4 {
            1 => practice.act(&booked, "cancel", &json!({"by": "client"})).has_status(200),
            2 => practice.act(&booked, "no-show", &json!({})).has_status(200),
            _ => {}
        }
    }
    let night =
        practice.booking(monday(23, 45)).with("resource_ids", json!([other, practice.room]));
    let position = night.send().position();
    practice.found(&format!("min_position={position}"));
    let path = format!("/v1/utilisation?from={}&to={}&min_position={position}", date(0), date(6));
    let api = practice.api.get(&path).send().is(200);

    let out = TempDir::new().unwrap();
    let printed = run(out.path(), &url, &practice.tenant).unwrap();
    let found = rows(&printed);
    let items = api["items"].as_array().unwrap();
    assert_eq!((items.len(), found.len()), (2, 2), "{printed}");
    for item in items {
        let row = found.iter().find(|row| item["resource_id"] == row["resource_id"]).unwrap();
        for name in [
            "offered_minutes",
            "booked_minutes",
            "appointments",
            "cancellations",
            "no_shows",
            "utilisation",
            "mean_lead_minutes",
        ] {
            assert!(close(row.get(name), &item[name]), "{name} of {row:#?} and {item:#}");
        }
    }
    assert_eq!(found.iter().filter(|row| row["cancellations"] == "2").count(), 1, "{printed}");
    let written = fs::read_to_string(out.path().join("utilisation.csv")).unwrap();
    assert_eq!(written, printed);
    let leads = fs::read_to_string(out.path().join("lead_times.csv")).unwrap();
    assert_eq!(rows(&leads).len(), 7);
    for picture in ["utilisation.png", "lead_times.png"] {
        assert!(is_a_picture(&out.path().join(picture)), "{picture}");
    }
    let nobody = run(out.path(), &url, "nobody").unwrap_err();
    assert!(nobody.contains("neither offered nor booked"), "{nobody}");
    sql.run("DROP ROLE quarterly_report");
}
