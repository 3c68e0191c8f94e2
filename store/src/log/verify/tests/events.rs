use daybook_domain::claim::ClaimConflict;
use daybook_domain::time::Interval;

use super::house::{HELD, LAST, MOVED, a_log, append};
use crate::log::verify::Problem;
use crate::log::{Append, Decision, OnConflict, Submission};
use crate::testing::{a_booking, a_move, minute, resource, submission, uuid};

#[tokio::test]
async fn an_edited_payload_is_found() {
    let spoilt = "UPDATE events SET payload = replace(payload::text, 'Check', 'Chick')::json
                   WHERE position = 3";
    assert_eq!(a_log().await.spoilt(spoilt).await, (Some(HELD), Problem::Altered));
}

#[tokio::test]
async fn every_edited_column_is_found() {
    let house = a_log().await;
    for edit in [
        r#"metadata = '{"actor":"x"}'"#,
        "event_version = '1.1'",
        "event_type = 'AppointmentConfirmed'",
        "aggregate_id = aggregate_id || ' '",
        "aggregate_type = 'client'",
        "sequence = sequence + 10",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "recorded_at = 'infinity'",
        "hash = sha256('x')",
        "hash = ''",
    ] {
        house.spoil("CREATE TABLE was AS SELECT * FROM events WHERE position = 3").await;
        let found = house.spoilt(&format!("UPDATE events SET {edit} WHERE position = 3")).await;
        assert_eq!(found, (Some(HELD), Problem::Altered), "{edit}");
        house
            .spoil(
                "DELETE FROM events WHERE position = 3;
                 INSERT INTO events SELECT * FROM was; DROP TABLE was",
            )
            .await;
        assert_eq!(house.verification().await.finding, None);
    }
}

#[tokio::test]
async fn a_missing_event_is_found_wherever_it_is_missing() {
    for position in [1, HELD, LAST] {
        let house = a_log().await;
        let spoilt = format!("DELETE FROM events WHERE position = {position}");
        assert_eq!(house.spoilt(&spoilt).await, (Some(position), Problem::Missing));
        assert_eq!(house.verification().await.events, position - 1);
    }
}

#[tokio::test]
async fn swapped_positions_are_found() {
    let spoilt = "UPDATE events SET position = 99 WHERE position = 2;
                  UPDATE events SET position = 2 WHERE position = 3;
                  UPDATE events SET position = 3 WHERE position = 99";
    assert_eq!(a_log().await.spoilt(spoilt).await, (Some(MOVED), Problem::Altered));
}

#[tokio::test]
async fn a_head_that_is_not_the_end_is_found() {
    for (spoilt, found) in [
        ("UPDATE log_heads SET hash = sha256('x')", (Some(LAST), Problem::OtherEnd)),
        ("UPDATE log_heads SET hash = ''", (Some(LAST), Problem::OtherEnd)),
        (
            "UPDATE log_heads SET recorded_at = recorded_at - interval '1 hour'",
            (Some(LAST), Problem::OtherEnd),
        ),
        ("UPDATE log_heads SET position = position - 1", (Some(LAST), Problem::AfterTheEnd)),
        ("UPDATE log_heads SET position = position + 1", (Some(LAST + 1), Problem::Missing)),
        ("UPDATE log_heads SET position = 0", (Some(1), Problem::AfterTheEnd)),
        ("DELETE FROM log_heads", (None, Problem::NoHead("clinic".parse().unwrap()))),
    ] {
        assert_eq!(a_log().await.spoilt(spoilt).await, found, "{spoilt}");
    }
}

#[tokio::test]
async fn a_clock_that_went_back_is_found_though_the_chain_was_forged() {
    let spoilt = "UPDATE events SET recorded_at = recorded_at - interval '1 hour'
                   WHERE position = 3";
    let found = a_log().await.forged(spoilt).await;
    assert!(matches!(found, (Some(HELD), Problem::WentBack { .. })), "{found:?}");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_found_though_the_chain_was_forged() {
    for edit in [
        r#"payload = '{"type":"AppointmentHeld"}'"#,
        "payload = replace(payload::text, 'Held', 'Booked')::json",
        r#"payload = replace(payload::text, '"care"', '""')::json"#,
        r#"payload = '{"type":"Other"}', event_type = 'Other'"#,
        r#"metadata = '{"actor":1}'"#,
        "aggregate_type = 'other'",
        "aggregate_id = replace(aggregate_id, 'clinic/', 'salon/')",
        "aggregate_id = replace(aggregate_id, '-', '')",
    ] {
        let spoilt = format!("UPDATE events SET {edit} WHERE position = 3");
        let found = a_log().await.forged(&spoilt).await;
        assert!(matches!(found, (Some(HELD), Problem::Unreadable(_))), "{edit}: {found:?}");
    }
}

#[tokio::test]
async fn a_gap_in_a_stream_is_found_though_the_chain_was_forged() {
    let spoilt = "UPDATE events SET sequence = 3 WHERE position = 2";
    let (kind, id) = ("appointment", uuid(1));
    let problem = Problem::OutOfSequence { kind, id, found: 3, expected: 2 };
    assert_eq!(a_log().await.forged(spoilt).await, (Some(MOVED), problem));
}

#[tokio::test]
async fn what_happens_to_what_was_never_made_is_found() {
    let house = a_log().await;
    append(&house, 7, 0, &a_move(&[9], 0, 30)).await;
    let (kind, id) = ("appointment", uuid(7));
    let found = house.spoilt("").await;
    assert_eq!(found, (Some(LAST + 1), Problem::NeverMade { kind, id }));
}

#[tokio::test]
async fn what_is_made_twice_is_found() {
    let house = a_log().await;
    append(&house, 1, 2, &a_booking(&[9], 0, 30)).await;
    let (kind, id) = ("appointment", uuid(1));
    let found = house.spoilt("").await;
    assert_eq!(found, (Some(LAST + 1), Problem::MadeTwice { kind, id }));
}

#[tokio::test]
async fn a_double_booking_is_found_where_it_happened() {
    let house = a_log().await;
    // An event that claims what it does not take, as if nothing kept it from that.
    let booking = submission(&house.tenant, uuid(7), 0, &a_booking(&[1], 45, 75));
    let Decision::Accept { appends, .. } = booking.decision else { unreachable!() };
    forced(&house, appends).await;
    let spoilt = "ALTER TABLE claims DROP CONSTRAINT no_double_booking;
                  INSERT INTO claims SELECT tenant_id, '00000000-0000-0000-0000-000000000007',
                         resource_id, seat, tstzrange(lower(during) + interval '15 minutes',
                         upper(during) + interval '15 minutes')
                    FROM claims WHERE appointment_id = '00000000-0000-0000-0000-000000000001'";
    let during = Interval::new(minute(30), minute(60)).unwrap();
    let taken = ClaimConflict { resource: resource(1), during, reference_of: None };
    let problem = Problem::DoubleBooking { holder: uuid(7).into(), taken };
    assert_eq!(house.spoilt(spoilt).await, (Some(LAST + 1), problem.clone()));
    // It has happened, whatever happens then.
    append(&house, 8, 0, &a_booking(&[8], 0, 30)).await;
    assert_eq!(house.spoilt("DELETE FROM claims").await, (Some(LAST + 1), problem));
}

async fn forced(house: &crate::testing::House, appends: Vec<Append>) {
    let on_conflict = OnConflict::Refuse;
    let decision = Decision::Accept { read_set: vec![], appends, claims: vec![], on_conflict };
    let (tenant, decided_at) = (house.tenant.clone(), minute(6));
    house.log().append(Submission { tenant, key: None, decided_at, decision }).await.unwrap();
}
