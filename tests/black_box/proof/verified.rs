//! `daybook verify`, run as an operator runs it.

use serde_json::Value;

use super::Finding;
use super::rebuild::caught_up;
use crate::harness::{Database, Finished, Practice, Server, monday};

/// Whether the program says that all logs are whole, by its words and by its exit code.
pub(super) fn is_whole(database: &Database) -> Result<(), Finding> {
    let Finished { code, stdout, stderr } = database.run(&["verify"]);
    let whole = stdout.lines().any(|line| line.contains("not whole: 0;"));
    if code == Some(0) && whole {
        Ok(())
    } else {
        Err(Finding::NotWhole(format!("exit code {code:?}\n{stdout}{stderr}")))
    }
}

/// A tenant whose log has eight events: a service, a room, a client, four bookings, the first of
/// them at position 4, and the cancellation of that one.
struct Log {
    practice: Practice,
    second: Value,
}

const EVENTS: i64 = 8;

impl Log {
    fn on(server: &Server) -> Self {
        let practice = Practice::on(server);
        let first = practice.booked(monday(9, 0));
        let [second, ..] = [10, 11, 12].map(|hour| practice.booked(monday(hour, 0)));
        practice.act(&first, "cancel", &serde_json::json!({})).is(200);
        caught_up(&mut server.database.sql(), &practice.tenant);
        Self { practice, second }
    }

    /// Damages it; each statement changes one row.
    fn damaged(&self, database: &Database, statements: &[&str]) {
        let mut sql = database.sql();
        for statement in statements {
            assert_eq!(sql.change(statement, &self.practice.tenant), 1, "{statement}");
        }
    }
}

#[test]
fn a_healthy_log_is_whole_and_what_was_checked_is_said() {
    let server = Server::start(&Database::fresh());
    let log = Log::on(&server);
    let said = server.database.run(&["verify"]).succeeded();
    let tenant = &log.practice.tenant;
    for line in [
        format!("{tenant}: {EVENTS} events (positions, hashes, times, content) in 7 streams"),
        format!("{tenant}: whole"),
    ] {
        assert!(said.lines().any(|said| said == line), "{line}\nis not in\n{said}");
    }
    // One of each projection.
    let checkpoints = "SELECT count(*) FROM checkpoints WHERE tenant_id = $1";
    let checkpoints = server.database.sql().number(checkpoints, tenant);
    assert!(checkpoints > 5);
    for checked in ["3 claims", "0 idempotency keys", &format!("{checkpoints} checkpoints")] {
        assert!(said.contains(checked), "{checked} is not in\n{said}");
    }
    assert!(said.contains("logs: 1, not whole: 0; 8 events in "), "{said}");
    is_whole(&server.database).unwrap();
}

#[test]
fn whatever_is_wrong_with_a_log_is_found_and_named_with_its_position() {
    let server = Server::start(&Database::fresh());
    let database = &server.database;
    let healthy = Log::on(&server);
    let altered = "the event does not have the hash that it was written with";
    // What is done to a log, where that shows, and what is said.
    let damages: [(&[&str], i64, &str); 9] = [
        (
            &["UPDATE events SET payload = replace(payload::text, 'check-up', 'check-in')::json
                WHERE tenant_id = $1 AND position = 5"],
            5,
            altered,
        ),
        (
            &["UPDATE events SET recorded_at = recorded_at + interval '1 microsecond'
                WHERE tenant_id = $1 AND position = 7"],
            7,
            altered,
        ),
        (&["DELETE FROM events WHERE tenant_id = $1 AND position = 6"], 6, "the event is missing"),
        (&["DELETE FROM events WHERE tenant_id = $1 AND position = 8"], 8, "the event is missing"),
        (
            &[
                "UPDATE events SET position = 100 WHERE tenant_id = $1 AND position = 5",
                "UPDATE events SET position = 5 WHERE tenant_id = $1 AND position = 6",
                "UPDATE events SET position = 6 WHERE tenant_id = $1 AND position = 100",
            ],
            5,
            altered,
        ),
        (
            &["UPDATE checkpoints SET position = position + 3
                WHERE tenant_id = $1 AND projection = 'appointments'"],
            EVENTS + 1,
            " has read on to 11, after the end of the log",
        ),
        (
            &["DELETE FROM claims
                WHERE tenant_id = $1 AND appointment_id = (
                      SELECT split_part(aggregate_id, '/', 2)::uuid FROM events
                       WHERE tenant_id = $1 AND position = 5)"],
            5,
            "has lost its claim",
        ),
        (
            &["UPDATE claims SET resource_id = gen_random_uuid()
                WHERE tenant_id = $1 AND appointment_id = (
                      SELECT split_part(aggregate_id, '/', 2)::uuid FROM events
                       WHERE tenant_id = $1 AND position = 6)"],
            6,
            "claim",
        ),
        (
            &["INSERT INTO commands (tenant_id, idempotency_key, fingerprint, aggregate_id,
                                     version, position, recorded_at)
               SELECT tenant_id, 'a-key', ''::bytea, split_part(aggregate_id, '/', 2)::uuid,
                      sequence + 1, position, recorded_at
                 FROM events WHERE tenant_id = $1 AND position = 7"],
            7,
            "an idempotency key answers with version 2",
        ),
    ];
    let logs: Vec<Log> = damages
        .iter()
        .map(|(statements, ..)| {
            let log = Log::on(&server);
            log.damaged(database, statements);
            log
        })
        .collect();

    let verified = database.run(&["verify"]);
    assert_eq!(verified.code, Some(1), "{verified:#?}");
    for (log, (statements, position, problem)) in logs.iter().zip(&damages) {
        let begin = format!("{}: NOT WHOLE, position {position}: ", log.practice.tenant);
        let found = verified.stdout.lines().find_map(|line| line.strip_prefix(&begin));
        let found = found.unwrap_or_else(|| panic!("{statements:?}: no {begin}\n{verified:#?}"));
        assert!(found.contains(problem), "{statements:?}: {problem:?} is not in {found:?}");
        let alone = database.run(&["verify", "--tenant", &log.practice.tenant]);
        assert_eq!(alone.code, Some(1), "{statements:?}: {alone:#?}");
    }
    let whole = format!("{}: whole", healthy.practice.tenant);
    assert!(verified.stdout.lines().any(|line| line == whole), "{verified:#?}");
    let summary = format!("logs: {}, not whole: {};", damages.len() + 1, damages.len());
    assert!(verified.last_line().starts_with(&summary), "{verified:#?}");
    assert!(matches!(is_whole(database), Err(Finding::NotWhole(_))));
    let lost = logs[6].second["id"].as_str().unwrap();
    assert!(verified.stdout.contains(&format!("appointment {lost} has lost")), "{verified:#?}");
}
