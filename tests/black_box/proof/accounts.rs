//! The clients' books against the log: whatever was acknowledged is there once, and nothing else.

use std::collections::BTreeMap;

use sqlx::Row as _;
use uuid::Uuid;

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
/// there is no event of an appointment that nobody asked for. (The log has a key as an HMAC: which one it is, nobody can tell.)
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
    let (mut events, mut keys) = (BTreeMap::new(), BTreeMap::new());
    for row in &rows {
        let position: i64 = row.get("position");
        match row.get::<Option<String>, _>("key") {
            Some(key) => {
                let event: (Uuid, i64) = (row.get("id"), row.get("sequence"));
                events.insert(position, event);
                if let Some(first) = keys.insert(key, position) {
                    return Err(Finding::TwoEffects { positions: vec![first, position] });
                }
            }
            None if row.get::<&str, _>("event_type") == "AppointmentHoldExpired" => {}
            None => return Err(Finding::NobodyAsked { position }),
        }
    }
    for (record, seen) in history.accepted() {
        let position = seen.position.expect("a command's answer has a position");
        if events.remove(&position) != Some((seen.appointment, seen.version)) {
            return Err(Finding::Lost { key: record.key.clone(), position });
        }
    }
    // Also what was refused, and done all the same.
    match events.into_keys().next() {
        None => Ok(()),
        Some(position) => Err(Finding::NobodyAsked { position }),
    }
}

/// No command was carried out twice: each has one event.
pub(super) fn no_key_has_two_effects(sql: &mut Sql, tenant: &str) -> Result<(), Finding> {
    let rows = sql.rows(
        "SELECT array_agg(position ORDER BY position) AS at
           FROM events
          WHERE tenant_id = $1 AND metadata ->> 'idempotency_key' IS NOT NULL
          GROUP BY metadata ->> 'idempotency_key'
         HAVING count(*) > 1
          ORDER BY min(position)
          LIMIT 1",
        tenant,
    );
    match rows.first() {
        None => Ok(()),
        Some(row) => Err(Finding::TwoEffects { positions: row.get("at") }),
    }
}
