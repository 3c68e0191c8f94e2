//! The schema `analytics`: what it shows, to whom, and what it never shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use sqlx::Row as _;

use crate::harness::{
    APPOINTMENTS, CATALOGUE, Database, Practice, Server, Sql, UTILISATION, date, eventually, id_of,
    monday, utc,
};

const VIEWS: [&str; 4] = ["events", "appointments", "appointments_over_time", "utilisation"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A server on a database of its own, whose views are there.
fn published() -> (Database, Server, Sql) {
    let database = Database::fresh();
    let server = Server::start(&database);
    let mut sql = database.sql();
    eventually("the views are published", || {
        let views = "SELECT count(*) FROM pg_views WHERE schemaname = 'analytics' AND $1 <> ''";
        let granted = "SELECT count(*) FROM information_schema.role_table_grants
                        WHERE grantee = 'daybook_analyst' AND table_schema = 'analytics'
                          AND $1 <> ''";
        (sql.number(views, "any") == 4 && sql.number(granted, "any") == 4).then_some(())
    });
    (database, server, sql)
}

/// Waits until this has been read by whatever the views are about.
fn caught_up(practice: &Practice, sql: &mut Sql, position: u64) {
    let behind =
        format!("SELECT count(*) FROM checkpoints WHERE tenant_id = $1 AND position < {position}");
    eventually("all projections have read it", || {
        (sql.number(&behind, &practice.tenant) == 0).then_some(())
    });
}

/// What a query about the practice's tenant finds, as text.
fn texts(sql: &mut Sql, query: &str, practice: &Practice) -> Vec<String> {
    sql.rows(query, &practice.tenant).iter().map(|row| row.get(0)).collect()
}

#[test]
fn the_page_describes_every_view_and_column_as_the_database_has_them() {
    let (_database, _server, mut sql) = published();
    let rows = sql.rows(
        "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod)
           FROM pg_class c
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
          WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind = 'v' AND $1 <> ''
          ORDER BY c.relname, a.attnum",
        "any",
    );
    let mut there: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for row in rows {
        there.entry(row.get(0)).or_default().push((row.get(1), row.get(2)));
    }
    assert_eq!(there.keys().map(String::as_str).collect::<BTreeSet<_>>(), VIEWS.into());
    let page = fs::read_to_string(repository().join("docs/analytics.md")).unwrap();
    let mut described: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut view = "";
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            view = heading;
        }
        if let Some(row) = line.strip_prefix("| `") {
            let (column, rest) = row.split_once("` | ").unwrap();
            let (kind, what) = rest.split_once(" | ").unwrap();
            assert!(what.len() > 5, "{view}.{column} is described");
            let column = (column.to_owned(), kind.to_owned());
            described.entry(view.to_owned()).or_default().push(column);
        }
    }
    assert_eq!(described, there);
}

/// Lets a role see a tenant's rows.
fn may_see(sql: &mut Sql, tenant: &str, role: &str) {
    let statement = format!("INSERT INTO analysts (tenant_id, role_name) VALUES ($1, '{role}')");
    sql.change(&statement, tenant);
}

/// Whose rows a view shows to whoever asks for all of them.
fn tenants_in(analyst: &mut Sql, view: &str) -> BTreeSet<String> {
    let all = format!("SELECT DISTINCT tenant_id FROM analytics.{view} WHERE $1 <> ''");
    analyst.rows(&all, "any").iter().map(|row| row.get(0)).collect()
}

#[test]
fn an_analyst_sees_the_rows_of_those_tenants_alone_that_an_administrator_has_named() {
    let (database, server, mut sql) = published();
    let [one, other] = [(); 2].map(|()| {
        let practice = Practice::on(&server);
        caught_up(&practice, &mut sql, practice.booking(monday(10, 0)).send().position());
        practice
    });
    sql.run("CREATE ROLE of_one LOGIN IN ROLE daybook_analyst; CREATE ROLE of_all LOGIN IN ROLE daybook_analyst");
    let connect = |user: &str| Sql::connect(&database.url_of(user), None);
    let (mut of_one, mut of_all) = (connect("of_one"), connect("of_all"));
    assert_eq!(tenants_in(&mut of_one, "events"), BTreeSet::new(), "nobody is named yet");
    may_see(&mut sql, &one.tenant, "of_one");
    may_see(&mut sql, "*", "of_all");
    // A role that is no more is in nobody's way.
    may_see(&mut sql, &one.tenant, "of_nobody");
    let (ones, all): (BTreeSet<_>, BTreeSet<_>) =
        ([one.tenant.clone()].into(), [one.tenant, other.tenant].into());
    for view in VIEWS {
        eventually(view, || (tenants_in(&mut of_all, view) == all).then_some(()));
        assert_eq!(tenants_in(&mut of_one, view), ones, "{view}");
        assert_eq!(tenants_in(&mut connect("daybook_owner"), view), all, "{view}");
    }
    // What a condition of theirs is shown is theirs, too: it is asked of no other row.
    of_one.run(&format!(
        "SELECT * FROM analytics.events WHERE 1 / (tenant_id = '{}')::int = 1",
        ones.first().unwrap()
    ));
    assert_eq!(of_one.try_run("SELECT * FROM analysts"), Err("42501".to_owned()));
    let mut app = connect("daybook_app");
    let gives_itself = "INSERT INTO analysts (tenant_id, role_name) VALUES ('*', 'daybook_app')";
    assert_eq!(app.try_run(gives_itself), Err("42501".to_owned()));
    assert_eq!(tenants_in(&mut app, "events"), BTreeSet::new());
}

#[test]
fn analysts_read_the_views_and_nothing_else() {
    let (database, server, mut sql) = published();
    let practice = Practice::on(&server);
    caught_up(&practice, &mut sql, practice.booking(monday(10, 0)).send().position());
    let readable = sql.rows(
        "SELECT n.nspname || '.' || c.relname
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
            AND n.nspname NOT IN ('pg_catalog', 'information_schema')
            AND has_schema_privilege('daybook_analyst', n.oid, 'USAGE')
            AND has_table_privilege('daybook_analyst', c.oid,
                    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
            AND $1 <> ''",
        "any",
    );
    let readable: BTreeSet<String> = readable.iter().map(|row| row.get(0)).collect();
    assert_eq!(readable, VIEWS.map(|view| format!("analytics.{view}")).into());
    let login: bool = sql
        .rows("SELECT rolcanlogin OR rolsuper FROM pg_roles WHERE rolname = $1", "daybook_analyst")
        [0]
    .get(0);
    assert!(!login);
    may_see(&mut sql, &practice.tenant, "daybook_analyst");
    let mut analyst = database.sql();
    analyst.run("SET ROLE daybook_analyst");
    for view in VIEWS {
        let count = format!("SELECT count(*) FROM analytics.{view} WHERE tenant_id = $1");
        // Each view follows the log at its own pace.
        eventually(view, || (analyst.number(&count, &practice.tenant) > 0).then_some(()));
    }
    let appointments = format!("{APPOINTMENTS}.appointments");
    let clients = format!("{CATALOGUE}.clients");
    for denied in ["events", &clients, &appointments, "api_keys"] {
        let refused = analyst.try_run(&format!("SELECT * FROM {denied}")).unwrap_err();
        assert_eq!(refused, "42501", "{denied}");
    }
    for denied in ["DELETE FROM checkpoints", "CREATE VIEW analytics.more AS SELECT 1"] {
        assert_eq!(analyst.try_run(denied).unwrap_err(), "42501", "{denied}");
    }
}

#[test]
fn the_views_say_what_happened_and_what_is() {
    let (_database, server, mut sql) = published();
    let practice = Practice::on(&server);
    let moved = practice.booked(monday(10, 0));
    let to = json!({"start_at": utc(monday(12, 0)), "by": "staff"});
    practice.act(&moved, "reschedule", &to).is(200);
    let change = json!({"category": "rare", "tags": ["seen"], "location": "Harbour"});
    let last = practice.act(&moved, "change", &change);
    last.is(200);
    let gone = practice.booked(monday(10, 0));
    let last = practice.act(&gone, "cancel", &json!({"by": "client", "reason": "private"}));
    last.is(200);
    caught_up(&practice, &mut sql, last.position());

    let over_time = "SELECT concat_ws(' ', o.status, o.category, to_char(o.start_at AT TIME ZONE 'UTC', 'HH24'),
                            o.to_position - o.from_position, o.location)
                       FROM analytics.appointments_over_time o
                       JOIN analytics.appointments a USING (tenant_id, appointment_id)
                      WHERE o.tenant_id = $1 AND a.status = 'booked' ORDER BY o.version";
    let expected = [
        "booked check-up 10 1",
        "booked check-up 12 1",
        "booked check-up 12 1 Harbour",
        "booked rare 12 Harbour",
    ];
    assert_eq!(texts(&mut sql, over_time, &practice), expected);
    // At every moment each appointment was one thing, and now it is what it is.
    let last_is_now = "SELECT a.appointment_id::text
           FROM analytics.appointments a
           JOIN analytics.appointments_over_time o USING (tenant_id, appointment_id)
          WHERE a.tenant_id = $1 AND o.to_at IS NULL
            AND (o.status, o.start_at, o.end_at, o.service_id, o.client_id, o.resource_ids, o.category,
                 o.tags, o.version, o.from_position)
              = (a.status, a.start_at, a.end_at, a.service_id, a.client_id, a.resource_ids, a.category,
                 a.tags, a.version, a.position)
          ORDER BY a.start_at";
    assert_eq!(texts(&mut sql, last_is_now, &practice), [id_of(&gone), id_of(&moved)]);
    let now = "SELECT concat_ws(' ', status, times_moved, cancelled_by, location) FROM analytics.appointments
                WHERE tenant_id = $1 ORDER BY start_at";
    assert_eq!(texts(&mut sql, now, &practice), ["cancelled 0 client", "booked 1 Harbour"]);
    let sides = "SELECT concat_ws(' ', event_type, by) FROM analytics.events
                  WHERE tenant_id = $1 AND by IS NOT NULL ORDER BY position";
    let expected = ["AppointmentRescheduled staff", "AppointmentCancelled client"];
    assert_eq!(texts(&mut sql, sides, &practice), expected);
    let places = "SELECT concat_ws(' ', event_type, location) FROM analytics.events
                   WHERE tenant_id = $1 AND location IS NOT NULL ORDER BY position";
    assert_eq!(texts(&mut sql, places, &practice), ["AppointmentDescribed Harbour"]);
    let gaps = "SELECT count(*) - max(position) FROM analytics.events WHERE tenant_id = $1";
    assert_eq!(sql.number(gaps, &practice.tenant), 0);

    let path =
        format!("/v1/utilisation?from={}&to={}&resource_id={}", date(0), date(6), practice.room);
    let figures = &practice.api.get(&path).send().is(200)["items"][0];
    let sums = format!(
        "SELECT sum(offered_minutes)::bigint, sum(booked_minutes)::bigint, sum(appointments)::bigint,
                sum(cancellations)::bigint, sum(no_shows)::bigint
           FROM analytics.utilisation
          WHERE tenant_id = $1 AND resource_id = '{}' AND day BETWEEN '{}' AND '{}'",
        practice.room,
        date(0),
        date(6)
    );
    let sums = sql.rows(&sums, &practice.tenant);
    for (n, name) in
        ["offered_minutes", "booked_minutes", "appointments", "cancellations", "no_shows"]
            .into_iter()
            .enumerate()
    {
        assert_eq!(figures[name], json!(sums[0].get::<i64, _>(n)), "{name} of {figures}");
    }
}

#[test]
fn a_program_whose_tables_are_still_to_be_built_has_its_views_when_they_are() {
    let (database, server, mut sql) = published();
    let practice = Practice::on(&server);
    caught_up(&practice, &mut sql, practice.booking(monday(10, 0)).send().position());
    server.interrupt();
    server.wait();
    // As if this version of a projection were new.
    sql.run(&format!(
        "DROP SCHEMA {UTILISATION} CASCADE;
         DELETE FROM checkpoints WHERE projection = 'utilisation';
         DELETE FROM builds WHERE projection = 'utilisation'"
    ));
    let migrated = database.run(&["migrate"]).succeeded();
    assert!(migrated.contains("up to date"), "{migrated}");
    let views = "SELECT count(*) FROM pg_views WHERE schemaname = 'analytics' AND $1 <> ''";
    assert_eq!(sql.number(views, "any"), 3);
    let _server = Server::start(&database);
    let booked = "SELECT coalesce(sum(booked_minutes), 0)::bigint FROM analytics.utilisation
                   WHERE tenant_id = $1";
    eventually("the views are there", || (sql.number(views, "any") == 4).then_some(()));
    assert_eq!(sql.number(booked, &practice.tenant), 30);
}

/// Every type of event, as the domain names them.
fn event_types() -> BTreeSet<String> {
    let aggregates = fs::read_dir(repository().join("domain/src")).unwrap();
    let files = aggregates.map(|folder| folder.unwrap().path().join("event.rs"));
    let sources = files.filter(|file| file.exists()).map(|file| fs::read_to_string(file).unwrap());
    let mut types = BTreeSet::new();
    for source in sources {
        // `event_types!(SeriesEvent: creating SeriesBooked; then SeriesRescheduled, ...);`
        let named = source.split("event_types!(").nth(1).unwrap().split(");").next().unwrap();
        let named = named.split_once(':').unwrap().1.split(|c: char| !c.is_ascii_alphanumeric());
        let of_type = |word: &&str| word.starts_with(|c: char| c.is_ascii_uppercase());
        types.extend(named.filter(of_type).map(ToOwned::to_owned));
    }
    types
}

/// In every place in which text about a person can be.
const PLANTED: &str = "Planted";

#[test]
fn personal_data_is_in_no_view() {
    let (_database, server, mut sql) = published();
    let practice = Practice::on(&server);
    let planted = json!(PLANTED);
    let contact = json!({"name": PLANTED, "email": "planted@example.org", "phone": "0099887766",
                         "notes": PLANTED, "reference": PLANTED, "metadata": {PLANTED: PLANTED}});
    let client = practice.created("/v1/clients", &contact);
    practice.api.patch(&format!("/v1/clients/{client}"), &contact).send().is(200);
    let doctor = practice.a_resource(&json!({"name": PLANTED, "kind": "staff"}));
    let off = json!({"kind": "time-off", "reason": PLANTED,
                     "days": {"first": "2020-07-01", "last": "2020-07-01"}});
    practice.created(&format!("/v1/resources/{doctor}/exceptions"), &off);
    let booking = |hour| {
        let booking = practice.booking(monday(hour, 0)).with("client_id", json!(client));
        let booking = booking.with("resource_ids", json!([doctor])).with("title", planted.clone());
        let booking = booking.with("note", planted.clone());
        let reference = format!("{PLANTED} {hour}");
        booking.with("reference", reference).with("metadata", json!({PLANTED: PLANTED}))
    };
    let booked = booking(9).with("override", json!({"reason": PLANTED})).send().is(201);
    let reason = json!({"by": "client", "reason": PLANTED});
    practice.act(&booked, "cancel", &reason).is(200);
    let held = booking(10).held(30).send().is(201);
    let other = practice.a_room();
    let reassigned =
        json!({"from_resource_id": doctor, "to_resource_id": other, "reason": PLANTED});
    let last = practice.act(&held, "reassign", &reassigned);
    last.is(200);
    caught_up(&practice, &mut sql, last.position());

    // And an event of every type, in which each text and each member that nobody knows is planted.
    let types = event_types();
    assert!(types.len() > 30, "{types:?}");
    let id = "01890000-0000-7000-8000-000000000000";
    let slot = json!({"resource_ids": [id], "session_id": id, "title": PLANTED, "new": PLANTED,
        "during": {"start_at": "2027-01-04T09:00:00Z", "end_at": "2027-01-04T10:00:00Z", "new": PLANTED}});
    let payload = json!({
        "service_id": id, "client_id": id, "slot": slot, "category": "care", "tags": [], "by": "staff",
        "hold_expires_at": "2027-01-04T09:00:00Z", "imported": true,
        "wishes": {"service_id": id, "new": PLANTED},
        "name": PLANTED, "email": PLANTED, "phone": PLANTED, "notes": PLANTED, "note": PLANTED,
        "title": PLANTED, "reason": PLANTED, "new": PLANTED, "reference": PLANTED,
        "metadata": {PLANTED: PLANTED}, "contact": {"name": PLANTED},
        "overridden": {"reason": PLANTED, "rules": []}, "exception": {"reason": PLANTED},
        "holidays": [{"name": PLANTED}], "refused": [{"problem": PLANTED}],
    });
    let kinds = ["appointment", "client"];
    for (n, (event_type, kind)) in
        types.iter().flat_map(|event_type| kinds.map(|kind| (event_type, kind))).enumerate()
    {
        sql.run(&format!(
            "INSERT INTO events VALUES ('planted', {position}, '{kind}', 'planted/{id}', {position},
                '{event_type}', '1.0', '{payload}', '{{\"actor\": \"{PLANTED}\"}}', now(), '')",
            position = n + 1,
        ));
    }
    let log =
        "SELECT count(*) FROM events WHERE tenant_id = $1 AND payload::text ILIKE '%planted%'";
    // What is known of clients, notes and reasons are sealed.
    assert!(sql.number(log, &practice.tenant) >= 3, "there is something to find");
    for view in VIEWS {
        let leaks = sql.rows(
            &format!(
                "SELECT to_jsonb(v)::text FROM analytics.{view} v
                  WHERE (to_jsonb(v) - 'tenant_id')::text ~* 'planted|99887766' AND $1 <> ''"
            ),
            "any",
        );
        let leaks: Vec<String> = leaks.iter().map(|row| row.get(0)).collect();
        assert!(leaks.is_empty(), "{view} shows {leaks:#?}");
    }
    let shown = "SELECT count(DISTINCT event_type) FROM analytics.events WHERE tenant_id = $1";
    assert_eq!(usize::try_from(sql.number(shown, "planted")).unwrap(), types.len());
}

#[test]
fn an_event_that_nobody_has_named_shows_nothing_but_that_it_happened() {
    let (_database, _server, mut sql) = published();
    sql.run(
        r#"INSERT INTO events VALUES ('new', 1, 'dream', 'new/01890000-0000-7000-8000-000000000000', 1,
               'DreamDreamt', '1.0', '{"service_id": "x", "category": "Planted", "tags": ["Planted"],
               "slot": {"during": {"start_at": "Planted"}}, "by": "Planted"}', '{}', now(), '')"#,
    );
    let row = "SELECT jsonb_strip_nulls(to_jsonb(e) - 'recorded_at')::text FROM analytics.events e
                WHERE tenant_id = $1";
    let shown: String = sql.rows(row, "new")[0].get(0);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        shown,
        json!({"tenant_id": "new", "position": 1, "version": 1, "aggregate_type": "dream",
               "aggregate_id": "01890000-0000-7000-8000-000000000000", "event_type": "DreamDreamt",
               "event_version": "1.0"})
    );
}
