//! What stands in the dashboards and alert rules finds something.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::deployed;
use super::prometheus::Prometheus;
use crate::harness::{Database, Practice, Server, eventually, monday};

/// An expression, and where it stands.
type Expression = (String, String);

/// Those of all panels, with an hour's worth of what Grafana would put in.
fn of_dashboards() -> Vec<Expression> {
    let mut expressions = Vec::new();
    for file in fs::read_dir(deployed("grafana")).unwrap() {
        let path = file.unwrap().path();
        let dashboard: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let dashboard_title = dashboard["title"].as_str().unwrap().to_owned();
        for panel in dashboard["panels"].as_array().unwrap() {
            let title = format!("{dashboard_title}, {}", panel["title"].as_str().unwrap());
            for target in panel["targets"].as_array().unwrap() {
                let expression = target["expr"].as_str().unwrap();
                let filled =
                    expression.replace("$__rate_interval", "1m").replace("$instance", ".*");
                assert!(!filled.contains('$'), "{title}: {filled}");
                expressions.push((title.clone(), filled));
            }
        }
    }
    expressions
}

/// Those of the alerts, without their thresholds.
fn of_alerts(alerts: &[Value]) -> Vec<Expression> {
    let without_threshold = |alert: &Value| {
        let words: Vec<&str> = alert["query"].as_str().unwrap().split(' ').collect();
        let [measured @ .., comparison, threshold] = words.as_slice() else { panic!("{alert}") };
        assert!(["<", ">"].contains(comparison) && threshold.parse::<f64>().is_ok(), "{alert}");
        (alert["name"].as_str().unwrap().to_owned(), measured.join(" "))
    };
    alerts.iter().map(without_threshold).collect()
}

/// Books, is refused, and lists, until told to stop.
fn load(practice: &Practice, stop: &AtomicBool) {
    let mut start = monday(0, 0);
    while !stop.load(Ordering::Relaxed) {
        let position = practice.booking(start).send().position();
        practice.booking(start).send().is_refused(409, "slot-taken");
        practice.api.get(&format!("/v1/appointments?min_position={position}")).send();
        start += TimeDelta::minutes(30);
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn every_expression_of_the_dashboards_and_alerts_finds_something_in_a_daybook_under_load() {
    let server = Server::start_with(&Database::fresh(), &["--allow-insecure-webhooks"]);
    let practice = Practice::on(&server);
    // Somebody who is told what happens, and does not take it.
    let nobody = json!({"url": format!("{}/nobody", server.url)});
    practice.created("/v1/webhooks", &nobody);
    let prometheus = Prometheus::watching(&server);
    let alerts = eventually("the rules are read", || {
        Some(prometheus.alerts()).filter(|alerts| !alerts.is_empty())
    });
    let expressions = [of_dashboards(), of_alerts(&alerts)].concat();
    assert!(expressions.len() > 50, "{}", expressions.len());
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| load(&practice, &stop));
        let mut empty = expressions.clone();
        let deadline = Instant::now() + Duration::from_secs(30);
        while !empty.is_empty() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(500));
            empty.retain(|(_, expression)| prometheus.found(expression).is_empty());
        }
        stop.store(true, Ordering::Relaxed);
        assert!(empty.is_empty(), "they find nothing: {empty:#?}");
    });
    // Nothing is wrong with this one.
    for alert in prometheus.alerts() {
        assert_eq!(alert["health"], "ok", "{alert:#}");
        assert_ne!(alert["state"], "firing", "{alert:#}");
    }
}
