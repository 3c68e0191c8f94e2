//! `daybook doctor`.

use crate::harness::{Database, Practice, Server, eventually, monday};

#[test]
fn a_healthy_database_is_well_and_each_ailment_is_named_with_what_to_do() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    practice.booked(monday(9, 0));
    let database = &server.database;
    let said = eventually("all is well", || {
        let finished = database.run(&["doctor"]);
        (finished.code == Some(0)).then_some(finished.stdout)
    });
    assert!(said.starts_with("all is well"), "{said}");

    let mut sql = database.sql();
    sql.run("SET ROLE daybook_owner; CREATE SCHEMA appointments_0; RESET ROLE");
    let steps = [
        (
            "UPDATE claims SET appointment_id = gen_random_uuid() WHERE tenant_id = $1",
            "1 claims of",
        ),
        (
            "UPDATE checkpoints SET position = 99 WHERE tenant_id = $1 AND projection = 'appointments'",
            " has read further than the log",
        ),
        ("UPDATE log_heads SET hash = '' WHERE tenant_id = $1", "does not end with its last event"),
        (
            "UPDATE checkpoints SET failed_position = 3, failure = 'no'
              WHERE tenant_id = $1 AND projection = 'catalogue'",
            " is stalled for 1 tenants",
        ),
    ];
    for (damage, ailment) in steps {
        assert_eq!(sql.change(damage, &practice.tenant), 1, "{damage}");
        let finished = database.run(&["doctor"]);
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(finished.stdout.contains(ailment), "{ailment}: {finished:?}");
        assert!(finished.stdout.contains("the schema appointments_0 is left over"), "{finished:?}");
    }
}

#[test]
fn of_an_empty_database_the_doctor_says_that_it_has_to_be_migrated() {
    let database = Database::fresh();
    let finished = database.run(&["doctor"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stdout.contains("migrations have not been run"), "{finished:?}");
    assert!(finished.stdout.contains("`daybook migrate`"), "{finished:?}");
    database.run(&["migrate"]).succeeded();
    database.run(&["doctor"]).succeeded();
}
