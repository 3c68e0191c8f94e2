//! What is watched: the figures, and the dashboards and alert rules of `deploy/` that are made of them, by a real
//! Prometheus.

mod expressions;
mod prometheus;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::harness::{Database, Server, within};
use prometheus::promtool;

/// A file that is deployed.
fn deployed(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(path)
}

#[test]
fn the_figures_are_as_promtool_wants_them() {
    let figures = Server::shared().operator().get("/metrics").send();
    figures.has_status(200);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("figures");
    fs::write(&file, &figures.text).unwrap();
    let checked = promtool(&["check", "metrics"], File::open(&file).unwrap().into());
    let said = [checked.stdout, checked.stderr].concat();
    assert!(checked.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
    // Each says what it is.
    let named: BTreeSet<&str> = figures
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    for name in &named {
        assert!(figures.text.contains(&format!("# HELP {name} ")), "{name}");
    }
    assert!(named.contains("http_server_request_duration_seconds"), "{named:?}");
    // And none is by tenant: there may be very many.
    assert!(!figures.text.contains("tenant=") && !figures.text.contains("practice-"));
}

#[test]
fn the_figures_are_there_while_the_database_hangs() {
    // It accepts connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://nobody@{}/nothing", silent.local_addr().unwrap());
    let server = Server::start_in(&Database::unreachable(), &[("DAYBOOK_DATABASE_URL", &url)]);
    within(Duration::from_secs(10), "it is noticed", || {
        let began = Instant::now();
        let figures = server.operator().get("/metrics").send();
        figures.has_status(200);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        assert!(figures.text.contains("process_resident_memory_bytes"));
        figures.text.contains("\ndaybook_database_up 0\n").then_some(())
    });
}

#[test]
fn every_alert_fires_in_one_case_and_is_silent_in_another_and_is_in_the_runbook() {
    let tested = promtool(&["test", "rules", "rules_test.yml"], Stdio::null());
    let said = String::from_utf8([tested.stdout, tested.stderr].concat()).unwrap();
    assert!(tested.status.success() && said.contains("SUCCESS"), "{said}");

    let rules = fs::read_to_string(deployed("prometheus/rules.yml")).unwrap();
    let tests = fs::read_to_string(deployed("prometheus/rules_test.yml")).unwrap();
    let runbook = fs::read_to_string(deployed("../docs/runbook.md")).unwrap();
    let alerts: Vec<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    for alert in alerts {
        let name = format!("alertname: {alert}\n");
        let cases = tests.split(&name).skip(1);
        let silent: Vec<bool> = cases.map(|it| it.trim().starts_with("exp_alerts: []")).collect();
        assert!(silent.contains(&true) && silent.contains(&false), "{alert}: {silent:?}");
        // A heading's anchor is its text in small letters.
        let anchor = format!("runbook: docs/runbook.md#{}\n", alert.to_lowercase());
        assert!(rules.contains(&anchor), "{alert} names its entry");
        let entry = runbook.split_once(&format!("\n## {alert}\n")).map(|(_, rest)| rest);
        let entry = entry.unwrap_or_else(|| panic!("{alert} has no entry"));
        let entry = entry.split("\n## ").next().unwrap();
        for part in ["**Means:**", "**Look at:**", "**Do:**"] {
            assert!(entry.contains(part), "{alert}: {part}");
        }
    }
}
