//! A log with something of everything in it, and the means to spoil it.

use daybook_domain::appointment::{
    AppointmentCancelled, AppointmentConfirmed, AppointmentEvent, CancelledBy, Slot,
};
use sqlx::{Executor, Row};

use crate::log::verify::{Problem, Verification, verify};
use crate::log::{Decision, Link, Position, Submission, Verdict, genesis};
use crate::testing::{House, a_booking, a_hold, a_move, key, minute, submission, uuid};

/// Where these are in [`a_log`].
pub(super) const MOVED: u64 = 2;
pub(super) const HELD: u64 = 3;
pub(super) const LAST: u64 = 9;

pub(super) fn slot(resources: &[u128], from: i64, to: i64) -> Slot {
    match a_booking(resources, from, to) {
        AppointmentEvent::AppointmentBooked(details) => details.slot,
        other => panic!("no booking: {other:?}"),
    }
}

/// An event with a key of its own, decided when the clock says that it is.
pub(super) async fn append(house: &House, id: u128, after: u64, event: &AppointmentEvent) {
    let key = Some(key(&format!("{id}-{after}"), 1));
    let decided_at = house.clock().now();
    let mut event = submission(&house.tenant, uuid(id), after, event);
    if let Decision::Accept { appends, .. } = &mut event.decision {
        appends[0].events[0].metadata = format!(r#"{{"correlation_id":"{id}-{after}"}}"#);
    }
    let verdict = house.log().append(Submission { key, decided_at, ..event }).await.unwrap();
    assert!(matches!(verdict, Verdict::Appended(_)), "{verdict:?}");
}

/// 1 is booked and moved; 2 is held and confirmed; 3 and 4 are held, and lapse; 5 is booked and
/// cancelled; 6 is booked where 3 was held. Each has a key.
pub(super) async fn a_log() -> House {
    let house = House::new().await;
    let by = CancelledBy::Staff;
    let cancelled = AppointmentEvent::AppointmentCancelled(AppointmentCancelled {
        reason: None,
        by,
        overridden: None,
    });
    let slot = slot(&[1, 2], 100, 130);
    let confirmed = AppointmentEvent::AppointmentConfirmed(AppointmentConfirmed { slot });
    append(&house, 1, 0, &a_booking(&[1], 0, 30)).await;
    append(&house, 1, 1, &a_move(&[1], 30, 60)).await;
    append(&house, 2, 0, &a_hold(&[1, 2], 100, 130, 10)).await;
    append(&house, 2, 1, &confirmed).await;
    append(&house, 3, 0, &a_hold(&[3], 200, 230, 5)).await;
    append(&house, 4, 0, &a_hold(&[4], 200, 230, 5)).await;
    append(&house, 5, 0, &a_booking(&[5], 0, 30)).await;
    append(&house, 5, 1, &cancelled).await;
    house.clock.set(minute(6));
    append(&house, 6, 0, &a_booking(&[3], 200, 230)).await;
    house
}

impl House {
    pub(super) async fn spoil(&self, statement: &str) {
        self.pool.execute(sqlx::raw_sql(statement)).await.unwrap();
    }

    pub(super) async fn verification(&self) -> Verification {
        verify(&self.pool, &self.tenant, |_| ()).await.unwrap()
    }

    /// Spoils it; what is found then, and where.
    pub(super) async fn spoilt(&self, statement: &str) -> (Option<u64>, Problem) {
        self.spoil(statement).await;
        let finding = self.verification().await.finding.expect("something is wrong");
        (finding.position.map(Position::get), finding.problem)
    }

    /// Gives each event the hash that it should have, as whoever spoils a log on purpose does.
    pub(super) async fn forge_the_chain(&self) {
        let rows = sqlx::query(
            "SELECT aggregate_type, aggregate_id, sequence, event_type, event_version,
                    payload::text, metadata::text, recorded_at
               FROM events ORDER BY position",
        );
        let mut hash = genesis(&self.tenant);
        for (row, n) in rows.fetch_all(&self.pool).await.unwrap().iter().zip(1..) {
            let position = Position::START.plus(n);
            hash = Link {
                position,
                aggregate_type: row.get("aggregate_type"),
                aggregate_id: row.get("aggregate_id"),
                sequence: row.get::<i64, _>("sequence").cast_unsigned(),
                event_type: row.get("event_type"),
                event_version: row.get("event_version"),
                payload: row.get("payload"),
                metadata: row.get("metadata"),
                recorded_at: row.get("recorded_at"),
            }
            .hash(&hash);
            sqlx::query("UPDATE events SET hash = $1 WHERE position = $2")
                .bind(hash.as_slice())
                .bind(position.as_i64())
                .execute(&self.pool)
                .await
                .unwrap();
        }
        sqlx::query("UPDATE log_heads SET hash = $1")
            .bind(hash.as_slice())
            .execute(&self.pool)
            .await
            .unwrap();
    }

    /// Spoils it on purpose; what is found then, and where.
    pub(super) async fn forged(&self, statement: &str) -> (Option<u64>, Problem) {
        self.spoil(statement).await;
        self.forge_the_chain().await;
        self.spoilt("").await
    }
}
