//! A projection is what can be made from the log at any time.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::Row as _;

use super::Finding;
use crate::every_operation::house::reminds;
use crate::harness::{Database, Practice, Server, Sql, date, eventually, monday, utc};

/// The rows of each table of all projections, in order, as text.
type Rows = BTreeMap<String, Vec<String>>;

/// Makes what nothing else here makes, so that no table is empty; an appointment is booked by whoever asks for it. The tenant's
/// settings are these, and its clients are told.
pub(super) fn something_of_everything(practice: &Practice, mut settings: Value) {
    settings["notices"] = json!("email");
    practice.settings(&settings);
    let class = practice.a_service(&json!({"session_places": 2}));
    let room = practice.a_room();
    let session =
        json!({"service_id": class, "resource_ids": [room], "start_at": utc(monday(9, 0))});
    practice.created("/v1/sessions", &session);
    let day = date(1).to_string();
    let entry = json!({"service_id": class, "client_id": practice.client, "from": day, "to": day});
    practice.created("/v1/waiting-list", &entry);
    reminds(practice);
}

/// Stops the server, throws all projections of all tenants away, and lets another server make them
/// again. Returns that server.
pub(super) fn equal_their_rebuild(
    database: &Database,
    server: Server,
    tenant: &str,
) -> (Server, Result<(), Finding>) {
    caught_up(&mut database.sql(), tenant);
    server.interrupt();
    server.wait();
    drop(server);
    let mut sql = database.sql();
    let before = rows(&mut sql, tenant);
    throw_away(&mut sql);
    drop(sql);
    let server = Server::start(database);
    let mut sql = database.sql();
    caught_up(&mut sql, tenant);
    let rebuilt = rows(&mut sql, tenant);
    for (table, rows) in &before {
        assert!(!rows.is_empty(), "there is something to compare in {table}");
    }
    (server, same(before, &rebuilt))
}

fn same(before: Rows, rebuilt: &Rows) -> Result<(), Finding> {
    assert!(before.keys().eq(rebuilt.keys()), "the tables are the same");
    for (table, before) in before {
        let rebuilt = &rebuilt[&table];
        let first =
            (0..before.len().max(rebuilt.len())).find(|n| before.get(*n) != rebuilt.get(*n));
        if let Some(first) = first {
            let (before, rebuilt) = (before.get(first).cloned(), rebuilt.get(first).cloned());
            return Err(Finding::OtherRows { table, before, rebuilt });
        }
    }
    Ok(())
}

/// Waits until all projections have read the whole log.
pub(super) fn caught_up(sql: &mut Sql, tenant: &str) {
    eventually("all projections are at the end of the log", || {
        let behind = sql.number(
            "SELECT count(*) FILTER (WHERE c.position < h.position)
                    + CASE WHEN count(*) = 0 THEN 1 ELSE 0 END
               FROM checkpoints c
               JOIN log_heads h USING (tenant_id)
              WHERE tenant_id = $1",
            tenant,
        );
        (behind == 0).then_some(())
    });
}

/// Each projection has a schema with its name and version, and nothing else in it.
fn tables(sql: &mut Sql) -> Vec<String> {
    let rows = sql.rows(
        "SELECT DISTINCT table_schema || '.' || table_name
           FROM information_schema.tables
           JOIN checkpoints ON table_schema = projection || '_' || version
          WHERE $1 <> ''
          ORDER BY 1",
        "any",
    );
    rows.iter().map(|row| row.get(0)).collect()
}

fn rows(sql: &mut Sql, tenant: &str) -> Rows {
    let tables = tables(sql);
    let rows = tables.into_iter().map(|table| {
        let query =
            format!("SELECT to_jsonb(t)::text FROM {table} t WHERE tenant_id = $1 ORDER BY 1");
        let rows = sql.rows(&query, tenant).iter().map(|row| row.get(0)).collect();
        (table, rows)
    });
    rows.collect()
}

fn throw_away(sql: &mut Sql) {
    let tables = tables(sql).join(", ");
    sql.run(&format!(
        "TRUNCATE {tables};
         UPDATE checkpoints SET position = 0, leader = NULL, lease_until = NULL"
    ));
}
