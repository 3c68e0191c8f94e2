//! Who had what when, by the events alone: nothing here looks at the table of claims but to compare.

use sqlx::Row as _;

use super::Finding;
use crate::harness::Sql;

/// What each event says that its appointment, session or entry of the waiting list has from then on, and until which position.
const LIVES: &str = "
    INSERT INTO lives
    SELECT e.position, e.recorded_at, split_part(e.aggregate_id, '/', 2)::uuid,
           place.resource, place.seat, place.during,
           (payload ->> 'hold_expires_at')::timestamptz,
           int8range(e.position, e.until)
      FROM (SELECT position, recorded_at, aggregate_id, event_type, payload,
                   payload -> 'slot' AS slot, payload -> 'closed' AS closed,
                   lead(position) OVER (PARTITION BY aggregate_id ORDER BY position) AS until
              FROM events
             WHERE tenant_id = $1 AND aggregate_type IN ('appointment', 'session', 'waiting')
               AND event_type NOT IN
                   ('AppointmentCheckedIn', 'AppointmentCompleted', 'AppointmentTagged',
                    'AppointmentDescribed', 'AppointmentConflictAccepted', 'WaitingPlaceOffered')) e
     CROSS JOIN LATERAL (
           SELECT r.id::uuid, coalesce((slot -> 'seats' ->> (r.n - 1)::int)::smallint, 0),
                  tstzrange(
                      (slot -> 'during' ->> 'start_at')::timestamptz
                          - make_interval(mins => (slot ->> 'buffer_before_minutes')::int),
                      (slot -> 'during' ->> 'end_at')::timestamptz
                          + make_interval(mins => (slot ->> 'buffer_after_minutes')::int))
             FROM json_array_elements_text(slot -> 'resource_ids') WITH ORDINALITY AS r (id, n)
            -- What is in a session leaves the resources to that, and some take no time.
            WHERE slot ->> 'session_id' IS NULL AND slot ->> 'transparent' IS NULL
            UNION ALL
           SELECT (c ->> 'of')::uuid, (c ->> 'number')::smallint,
                  tstzrange((c -> 'during' ->> 'start_at')::timestamptz,
                            (c -> 'during' ->> 'end_at')::timestamptz)
             FROM json_array_elements(coalesce(slot -> 'counted', payload -> 'counted')) AS c
            UNION ALL
           SELECT (closed ->> 'session_id')::uuid, n::smallint,
                  tstzrange((closed -> 'during' ->> 'start_at')::timestamptz,
                            (closed -> 'during' ->> 'end_at')::timestamptz)
             FROM json_array_elements_text(closed -> 'numbers') AS n
           ) AS place (resource, seat, during)
     WHERE event_type IN ('AppointmentHeld', 'AppointmentBooked', 'AppointmentConfirmed',
                          'AppointmentRescheduled', 'AppointmentReassigned',
                          'SessionScheduled', 'SessionRescheduled', 'SessionCancelled', 'WaitingListJoined')";

/// At no position of the log have two appointments a resource at the same time. A hold that has
/// lapsed when another takes its time conflicts with nothing.
pub(super) fn no_double_booking(sql: &mut Sql, tenant: &str) -> Result<(), Finding> {
    in_lives(sql, tenant, |sql| {
        let rows = sql.rows(
            "SELECT later.position, later.resource, earlier.appointment AS has_it,
                    later.appointment AS takes_it
               FROM lives later
               JOIN lives earlier
                 ON earlier.resource = later.resource AND earlier.seat = later.seat
                AND earlier.during && later.during
                AND earlier.life @> later.position AND earlier.appointment <> later.appointment
              WHERE $1 <> '' AND earlier.position < later.position
                AND (earlier.expires_at IS NULL OR earlier.expires_at > later.recorded_at)
              ORDER BY later.position
              LIMIT 1",
            tenant,
        );
        rows.first().map_or(Ok(()), |row| {
            Err(Finding::DoubleBooking {
                position: row.get("position"),
                resource: row.get("resource"),
                has_it: row.get("has_it"),
                takes_it: row.get("takes_it"),
            })
        })
    })
}

/// The table of claims is what the events say at the end of the log; lapsed holds are left aside.
pub(super) fn claims_are_what_the_log_says(sql: &mut Sql, tenant: &str) -> Result<(), Finding> {
    in_lives(sql, tenant, |sql| {
        let rows = sql.rows(
            "WITH log AS (
                 SELECT appointment, resource, seat, during, expires_at FROM lives WHERE upper_inf(life)
             ), claimed AS (
                 SELECT appointment_id, resource_id, seat, during, expires_at FROM claims
                  WHERE tenant_id = $1 AND seat >= 0
             ), different AS (
                 SELECT 'the log' AS only_in, * FROM (TABLE log EXCEPT TABLE claimed) l
                 UNION ALL
                 SELECT 'the claims', * FROM (TABLE claimed EXCEPT TABLE log) c
             )
             SELECT d.only_in, d.appointment, d.resource
               FROM different d
               JOIN log_heads h ON h.tenant_id = $1
              WHERE d.expires_at IS NULL OR d.expires_at > h.recorded_at
              LIMIT 1",
            tenant,
        );
        rows.first().map_or(Ok(()), |row| {
            Err(Finding::OtherClaims {
                appointment: row.get("appointment"),
                resource: row.get("resource"),
                only_in: row.get("only_in"),
            })
        })
    })
}

/// At no position of the log have two things of a kind the same reference, and at its end those that have one claim it:
/// on a place that no resource has, by their id with another version.
pub(crate) fn references_are_unique_and_claimed(sql: &mut Sql, tenant: &str) {
    let said = "
        WITH said AS (
            SELECT aggregate_type AS kind, split_part(aggregate_id, '/', 2) AS id, position, coalesce(payload #>> '{reference,t}', payload ->> 'reference') AS reference,
                   lead(position) OVER (PARTITION BY aggregate_type, aggregate_id ORDER BY position) AS until
              FROM events
             WHERE tenant_id = $1
               AND event_type IN ('AppointmentBooked', 'AppointmentHeld', 'AppointmentDescribed', 'ClientRegistered',
                                  'ClientContactChanged', 'ResourceRegistered', 'ResourceDescribed', 'ServiceDefined',
                                  'ServiceRevised'))";
    let twice = format!(
        "{said}
         SELECT later.kind || ' ' || later.id FROM said later JOIN said earlier USING (kind, reference)
          WHERE earlier.id <> later.id AND earlier.position < later.position
            AND (earlier.until IS NULL OR earlier.until > later.position)"
    );
    let twice: Vec<String> = sql.rows(&twice, tenant).iter().map(|row| row.get(0)).collect();
    assert!(twice.is_empty(), "they took a reference that another had: {twice:?}");
    let claims = format!(
        "{said}, log AS (
             SELECT overlay(id PLACING to_hex(('x' || substr(id, 15, 1))::bit(4)::int # 8) FROM 15 FOR 1) AS id
               FROM said WHERE reference IS NOT NULL AND until IS NULL),
         claimed AS (
             SELECT appointment_id::text AS id FROM claims WHERE tenant_id = $1 AND seat = -1)
         SELECT 'only in the log: ' || id FROM (TABLE log EXCEPT ALL TABLE claimed) l
          UNION ALL
         SELECT 'only claimed: ' || id FROM (TABLE claimed EXCEPT ALL TABLE log) c"
    );
    let other: Vec<String> = sql.rows(&claims, tenant).iter().map(|row| row.get(0)).collect();
    assert!(other.is_empty(), "{other:?}");
}

/// A check in one snapshot that has the table `lives`.
fn in_lives(
    sql: &mut Sql,
    tenant: &str,
    check: impl FnOnce(&mut Sql) -> Result<(), Finding>,
) -> Result<(), Finding> {
    sql.run(
        "BEGIN ISOLATION LEVEL REPEATABLE READ;
         CREATE TEMP TABLE lives (
             position bigint, recorded_at timestamptz, appointment uuid, resource uuid,
             seat smallint, during tstzrange, expires_at timestamptz, life int8range
         ) ON COMMIT DROP",
    );
    sql.change(LIVES, tenant);
    sql.run("CREATE INDEX ON lives USING gist (resource, during, life); ANALYZE lives");
    let found = all_events_are_known(sql, tenant).and_then(|()| check(sql));
    sql.run("COMMIT");
    found
}

fn all_events_are_known(sql: &mut Sql, tenant: &str) -> Result<(), Finding> {
    let rows = sql.rows(
        "SELECT event_type
           FROM events
          WHERE tenant_id = $1 AND aggregate_type = 'appointment'
            AND (event_version NOT IN ('1.0', '2.0') OR event_type NOT IN
                ('AppointmentHeld', 'AppointmentBooked', 'AppointmentConfirmed',
                 'AppointmentRescheduled', 'AppointmentCancelled', 'AppointmentHoldExpired',
                 'AppointmentMarkedNoShow', 'AppointmentCheckedIn', 'AppointmentCompleted',
                 'AppointmentTagged', 'AppointmentDescribed', 'AppointmentConflictAccepted',
                 'AppointmentReassigned'))
          LIMIT 1",
        tenant,
    );
    rows.first().map_or(Ok(()), |row| Err(Finding::UnknownEvent(row.get(0))))
}
