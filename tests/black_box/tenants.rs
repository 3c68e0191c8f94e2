//! `daybook tenant`: tenants are made, suspended, resumed and deleted by whoever runs daybook.

use sqlx::Row as _;

use crate::events::sse::Stream;
use crate::harness::{Database, Practice, Server, eventually, monday};

/// Where there are rows of a tenant, in all schemas.
fn tables_with_rows_of(database: &Database, tenant: &str) -> Vec<String> {
    let mut sql = database.sql();
    let tables = sql.rows(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_attribute a ON a.attrelid = c.oid
          WHERE c.relkind = 'r' AND a.attname = 'tenant_id' AND $1 <> '' ORDER BY 1",
        tenant,
    );
    let tables = tables.iter().map(|row| row.get::<String, _>(0));
    let has_rows = |table: &String| {
        sql.number(&format!("SELECT count(*) FROM {table} WHERE tenant_id = $1"), tenant) > 0
    };
    tables.filter(has_rows).collect()
}

#[test]
fn a_typing_error_makes_no_tenant() {
    let database = Database::fresh();
    database.run(&["tenant", "create", "clinic"]).succeeded();
    let refused =
        database.run(&["key", "create", "--tenant", "clinik", "--scope", "read"]).failed();
    assert!(refused.contains("there is no tenant clinik"), "{refused}");
    assert!(refused.contains("--create-tenant"), "{refused}");
    assert_eq!(database.run(&["tenant", "list"]).succeeded(), "clinic\n");
    database.run(&["key", "create", "--tenant", "clinic", "--scope", "read"]).succeeded();
}

#[test]
fn a_suspended_tenant_is_refused_everywhere_and_goes_on_where_it_was() {
    let database = Database::fresh();
    let (one, other) = (Server::start(&database), Server::start(&database));
    let (practice, neighbour) = (Practice::on(&one), Practice::on(&one));
    let there = practice.moved_to(&other);
    practice.booked(monday(9, 0));
    there.api.get("/v1/services").send().has_status(200);
    let mut stream = Stream::open(&there.api, "after=latest", None).unwrap();
    let tenant = &*practice.tenant;
    database.run(&["tenant", "suspend", tenant]).succeeded();
    for api in [&practice.api, &there.api] {
        let problem = eventually("it is refused", || {
            let answer = api.get("/v1/services").send();
            (answer.status != 200).then_some(answer)
        });
        let problem = problem.is_refused(403, "tenant-suspended");
        assert!(problem["detail"].as_str().unwrap().contains("resume"), "{problem}");
        practice.booking(monday(10, 0)).request_of(api).send().is_refused(403, "tenant-suspended");
    }
    let end = stream.next().expect("a last event");
    assert!(end.name == "end" && end.data.contains("key-ended"), "{end:?}");
    neighbour.booked(monday(9, 0));
    let listed = database.run(&["tenant", "list"]).succeeded();
    assert!(listed.contains(&format!("{tenant}  suspended since 20")), "{listed}");

    database.run(&["tenant", "resume", tenant]).succeeded();
    for api in [&practice.api, &there.api] {
        eventually("it goes on", || (api.get("/v1/services").send().status == 200).then_some(()));
    }
    practice.booking(monday(9, 0)).send().is_refused(409, "slot-taken");
    practice.booked(monday(10, 0));
    let nobody = database.run(&["tenant", "suspend", "nobody"]).failed();
    assert!(nobody.contains("there is no tenant nobody"), "{nobody}");
}

#[test]
fn a_tenant_is_deleted_only_when_it_is_meant_and_then_whole() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let (practice, neighbour) = (Practice::on(&server), Practice::on(&server));
    for practice in [&practice, &neighbour] {
        practice.booking(monday(9, 0)).idempotency_key("once").send().is(201);
        let position = practice.booking(monday(10, 0)).send().position();
        assert_eq!(practice.found(&format!("min_position={position}")).len(), 2);
    }
    let tenant = &*practice.tenant;
    let before = tables_with_rows_of(&database, tenant);
    assert!(
        before.len() > 10 && before.iter().any(|table| table.starts_with("appointments_")),
        "{before:?}"
    );
    let neighbours = tables_with_rows_of(&database, &neighbour.tenant);

    let delete = |yes: &str| database.run(&["tenant", "delete", tenant, "--yes", yes]);
    let refused = delete(tenant).failed();
    assert!(refused.contains(&format!("`daybook tenant suspend {tenant}` first")), "{refused}");
    database.run(&["tenant", "suspend", tenant]).succeeded();
    let refused = delete("another").failed();
    assert!(refused.contains("nothing is deleted"), "{refused}");
    assert_eq!(tables_with_rows_of(&database, tenant), before);
    let said = delete(tenant).succeeded();
    assert!(said.contains("backups made before have them still"), "{said}");
    assert_eq!(tables_with_rows_of(&database, tenant), ["public.deleted_tenants"]);
    assert_eq!(tables_with_rows_of(&database, &neighbour.tenant), neighbours);

    practice.api.get("/v1/services").send().is_refused(401, "invalid-key");
    assert_eq!(neighbour.found("").len(), 2);
    neighbour.booked(monday(11, 0));
    let listed = database.run(&["tenant", "list"]).succeeded();
    assert!(!listed.contains(&format!("{tenant}\n")), "{listed}");
    let again = database.run(&["tenant", "create", tenant]).failed();
    assert!(again.contains("has been deleted"), "{again}");
    let verified = database.run(&["verify"]).succeeded();
    assert!(verified.contains("not whole: 0;"), "{verified}");
}

#[test]
fn a_tenant_whose_deletion_was_stopped_is_said_to_be_and_is_no_broken_log() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let (practice, neighbour) = (Practice::on(&server), Practice::on(&server));
    practice.booked(monday(9, 0));
    neighbour.booked(monday(9, 0));
    let tenant = &*practice.tenant;
    database.run(&["tenant", "suspend", tenant]).succeeded();
    let mut sql = database.sql();
    // As far as a deletion had come when it was killed.
    for done in [
        "UPDATE tenants SET deleting_at = now() WHERE tenant_id = $1",
        "DELETE FROM log_heads WHERE tenant_id = $1",
        "DELETE FROM claims WHERE tenant_id = $1",
        "DELETE FROM events WHERE tenant_id = $1 AND position > 2",
    ] {
        assert!(sql.change(done, tenant) > 0, "{done}");
    }
    let verified = database.run(&["verify"]).succeeded();
    assert!(verified.contains(&format!("{tenant} is being deleted")), "{verified}");
    assert!(verified.contains("not whole: 0;"), "{verified}");
    let refused = database.run(&["verify", "--tenant", tenant]).failed();
    assert!(refused.contains(&format!("`daybook tenant delete {tenant}` goes on")), "{refused}");
    database.run(&["doctor"]).succeeded();
    database.run(&["audit", "verify"]).succeeded();
    database.run(&["tenant", "delete", tenant, "--yes", tenant]).succeeded();
    assert_eq!(tables_with_rows_of(&database, tenant), ["public.deleted_tenants"]);
    assert!(database.run(&["verify"]).succeeded().contains("not whole: 0;"));
}
