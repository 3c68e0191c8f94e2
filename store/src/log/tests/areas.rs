//! The constraint over claims refuses what overlaps and nothing else, wherever claims are drawn.

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::claim::Claim;
use daybook_domain::time::Interval;
use sqlx::{Executor as _, PgConnection};

use super::*;
use crate::testing::House;

/// Two resources whose areas lie in the same place: their hashes begin with the same 37 bits.
const SAME_PLACE: [&str; 2] =
    ["5d4c2d20-597f-73dd-33a0-58db352e3d57", "db09c514-1710-45c4-7280-a25b318fba61"];

const ELSEWHERE: &str = "575edfcd-a9e6-192f-420f-f2611f543a6b";

/// Microseconds from one of these to the next: some touch, some overlap, some do neither.
const TIMES: [(i64, i64); 4] = [(0, 1), (1, 2), (0, 2), (3, 4)];

fn claims() -> Vec<Claim> {
    // Where a double holds microseconds exactly, and where it does not.
    let from = ["1900-01-01T00:00:00Z", "2026-11-23T12:00:00Z", "9999-12-31T23:59:00Z"];
    let mut claims = Vec::new();
    for resource in SAME_PLACE.into_iter().chain([ELSEWHERE]) {
        for seat in [0, 1, u16::MAX] {
            for from in from {
                let from: DateTime<Utc> = from.parse().unwrap();
                claims.extend(TIMES.map(|(start, end)| {
                    let at = |micros| from + TimeDelta::microseconds(micros);
                    let during = Interval::new(at(start), at(end)).unwrap();
                    let resource = resource.parse::<Uuid>().unwrap().into();
                    Claim { resource, seat, during, expires_at: None }
                }));
            }
        }
    }
    claims
}

/// Whether the table takes both.
async fn both_fit(connection: &mut PgConnection, one: &Claim, other: &Claim) -> bool {
    let inserted = sqlx::query(
        "INSERT INTO claims (tenant_id, appointment_id, resource_id, seat, during)
         VALUES ('clinic', $1, $2, $3, tstzrange($4, $5)), ('clinic', $6, $7, $8, tstzrange($9, $10))
         ON CONFLICT ON CONSTRAINT no_double_booking DO NOTHING",
    )
    .bind(Uuid::from_u128(1))
    .bind(one.resource.uuid())
    .bind(one.seat.cast_signed())
    .bind(one.during.start())
    .bind(one.during.end())
    .bind(Uuid::from_u128(2))
    .bind(other.resource.uuid())
    .bind(other.seat.cast_signed())
    .bind(other.during.start())
    .bind(other.during.end())
    .execute(&mut *connection)
    .await
    .unwrap();
    connection.execute("DELETE FROM claims").await.unwrap();
    inserted.rows_affected() == 2
}

#[tokio::test]
async fn two_claims_are_refused_when_they_overlap_on_a_seat_and_never_otherwise() {
    let house = House::new().await;
    let mut connection = house.pool.acquire().await.unwrap();
    let claims = claims();
    let mut refused = 0;
    for (n, one) in claims.iter().enumerate() {
        for other in &claims[n..] {
            let overlap = (one.resource, one.seat) == (other.resource, other.seat)
                && one.during.overlaps(&other.during);
            let fit = both_fit(&mut connection, one, other).await;
            assert_eq!(fit, !overlap, "{one:?}, {other:?}");
            refused += u32::from(!fit);
        }
    }
    // Of each seat at each time: each claim with itself, and the two that lie in the one around them.
    assert_eq!(refused, 3 * 3 * 3 * (4 + 2));
}

#[tokio::test]
async fn the_two_resources_do_lie_in_the_same_place() {
    let house = House::new().await;
    let same: bool = sqlx::query_scalar(
        "SELECT claim_area($1, 0, 0, during) ~= claim_area($2, 0, 0, during)
           FROM (VALUES (tstzrange(now(), now() + interval '1 hour'))) AS t (during)",
    )
    .bind(SAME_PLACE[0].parse::<Uuid>().unwrap())
    .bind(SAME_PLACE[1].parse::<Uuid>().unwrap())
    .fetch_one(&house.pool)
    .await
    .unwrap();
    assert!(same);
}

#[tokio::test]
async fn the_areas_of_all_seats_of_a_resource_are_within_the_resources() {
    let house = House::new().await;
    let outside: i64 = sqlx::query_scalar(
        "SELECT count(*)
           FROM generate_series(-32768, 32767) AS seat,
                (VALUES (tstzrange('2026-01-01', '2026-01-02'))) AS t (during)
          WHERE NOT claim_area($1, seat, seat, during) <@ resource_area($1, during)",
    )
    .bind(ELSEWHERE.parse::<Uuid>().unwrap())
    .fetch_one(&house.pool)
    .await
    .unwrap();
    assert_eq!(outside, 0);
}
