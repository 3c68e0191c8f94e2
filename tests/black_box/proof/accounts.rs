//! The clients' books against the log: whatever was acknowledged is there once, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row as _;

use super::Finding;
use super::recorder::History;
use crate::harness::Sql;

/// What was accepted and what was refused is all that was sent.
pub(super) fn all_were_answered(history: &History) -> Result<(), Finding> {
    let (sent, accepted, refused) =
        (history.sent, history.accepted().count(), history.refused().count());
    if accepted + refused == sent && history.records.len() == sent {
        Ok(())
    } else {
        Err(Finding::Unanswered { sent, accepted, refused })
    }
}

/// Each accepted command is one event, the one that its answer names; a refused one is none, and
/// there is no event of an appointment that nobody asked for.
pub(super) fn log_is_what_was_answered(
    sql: &mut Sql,
    tenant: &str,
    history: &History,
) -> Result<(), Finding> {
    let rows = sql.rows(
        "SELECT position, split_part(aggregate_id, '/', 2)::uuid AS id, sequence, event_type,
                metadata ->> 'idempotency_key' AS key
           FROM events
          WHERE tenant_id = $1 AND aggregate_type = 'appointment'
          ORDER BY position",
        tenant,
    );
    let mut events = BTreeMap::new();
    for row in &rows {
        let position: i64 = row.get("position");
        match row.get::<Option<String>, _>("key") {
            Some(key) => {
                let event = (row.get("id"), row.get("sequence"), position);
                if let Some((_, _, first)) = events.insert(key.clone(), event) {
                    return Err(Finding::TwoEffects { key, positions: vec![first, position] });
                }
            }
            None if row.get::<&str, _>("event_type") == "AppointmentHoldExpired" => {}
            None => return Err(Finding::NobodyAsked { position }),
        }
    }
    for (record, seen) in history.accepted() {
        let key = record.key.clone();
        let position = seen.position.expect("a command's answer has a position");
        if events.remove(&key) != Some((seen.appointment, seen.version, position)) {
            return Err(Finding::Lost { key, position });
        }
    }
    let refused: BTreeSet<&str> = history.refused().map(|record| &*record.key).collect();
    match events.into_iter().next() {
        None => Ok(()),
        Some((key, (.., position))) if refused.contains(&*key) => {
            Err(Finding::RefusedAndDone { key, position })
        }
        Some((_, (.., position))) => Err(Finding::NobodyAsked { position }),
    }
}

/// No command was carried out twice: each has one event.
pub(super) fn no_key_has_two_effects(sql: &mut Sql, tenant: &str) -> Result<(), Finding> {
    let rows = sql.rows(
        "SELECT metadata ->> 'idempotency_key' AS key, array_agg(position ORDER BY position) AS at
           FROM events
          WHERE tenant_id = $1 AND metadata ->> 'idempotency_key' IS NOT NULL
          GROUP BY 1
         HAVING count(*) > 1
          ORDER BY min(position)
          LIMIT 1",
        tenant,
    );
    match rows.first() {
        None => Ok(()),
        Some(row) => Err(Finding::TwoEffects { key: row.get("key"), positions: row.get("at") }),
    }
}
