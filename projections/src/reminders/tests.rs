//! Reminders as they are read.

use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::appointment::{
    AppointmentCancelled, AppointmentEvent, AppointmentRescheduled, CancelledBy, Details, MovedBy,
};
use daybook_domain::reminder::{Occasion, ReminderBegun, ReminderEvent};
use daybook_domain::resource::{ResourceEvent, ResourceRegistered};
use daybook_domain::sending::{Failed, Failure, Sent, Status, Try};
use daybook_domain::service::{ReminderRules, ServiceDefined, ServiceEvent, ServiceRevised};
use daybook_domain::time::{Duration, Interval};
use daybook_domain::{AppointmentId, TenantId};
use daybook_store::{AnyEvent, Clock as _};
use serde_json::json;
use uuid::Uuid;

use super::{ReminderFilter, ReminderRow, Reminders};
use crate::tests::bookings::{appointment, details};
use crate::tests::world::{World, at};
use crate::{DueQuery, Limit, Schema};

const SERVICE: u128 = 100;
const NINE: &str = "2026-12-01T08:00:00Z";

fn service(rules: &str, is_first: bool) -> AnyEvent {
    let mut terms = json!({"name": "Check-up", "category": "care", "tags": [], "duration_minutes": 30,
        "buffer_before_minutes": 0, "buffer_after_minutes": 0});
    terms["reminders"] = serde_json::from_str(rules).unwrap();
    let terms = serde_json::from_value(terms).unwrap();
    let event = if is_first {
        ServiceEvent::ServiceDefined(ServiceDefined { terms })
    } else {
        ServiceEvent::ServiceRevised(ServiceRevised { terms })
    };
    AnyEvent::Service(Uuid::from_u128(SERVICE).into(), event)
}

const DAY_AND_HOUR: &str = r#"[{"before_days":1,"time":"18:00","channel":"email"},
    {"before_minutes":60,"channel":"email"}]"#;

/// In Oslo.
fn resource(n: u128) -> AnyEvent {
    let profile = json!({"name": "Room", "kind": "room", "tags": [], "time_zone": "Europe/Oslo",
        "weekly_hours": []});
    let profile = serde_json::from_value(profile).unwrap();
    let event = ResourceEvent::ResourceRegistered(ResourceRegistered { profile });
    AnyEvent::Resource(Uuid::from_u128(n).into(), event)
}

fn at_nine(n: u128, start: &str) -> Details {
    let mut details = details(n);
    details.service_id = Uuid::from_u128(SERVICE).into();
    details.slot.resource_ids = vec![Uuid::from_u128(1).into()].try_into().unwrap();
    details.slot.during = Interval::lasting(at(start), Duration::from_minutes(30).unwrap());
    details
}

fn of(n: u128, event: AppointmentEvent) -> AnyEvent {
    AnyEvent::Appointment(appointment(n), event)
}

fn booked(n: u128, start: &str) -> AnyEvent {
    of(n, AppointmentEvent::AppointmentBooked(at_nine(n, start)))
}

fn moved(n: u128, start: &str) -> AnyEvent {
    of(
        n,
        AppointmentEvent::AppointmentRescheduled(AppointmentRescheduled {
            slot: at_nine(n, start).slot,
            hold_expires_at: None,
            by: MovedBy::Staff,
            with_calendar: false,
            overridden: None,
        }),
    )
}

fn cancelled(n: u128) -> AnyEvent {
    let by = CancelledBy::Client;
    let event = AppointmentCancelled { reason: None, by, overridden: None };
    of(n, AppointmentEvent::AppointmentCancelled(event))
}

/// The reminder of appointment `n` an hour before nine.
fn occasion(n: u128) -> Occasion {
    let rules: ReminderRules = serde_json::from_str(DAY_AND_HOUR).unwrap();
    let details = at_nine(n, NINE);
    Occasion {
        appointment_id: appointment(n),
        service_id: details.service_id,
        client_id: details.client_id,
        rule: rules.iter().nth(1).unwrap(),
        start: at(NINE),
        due: at("2026-12-01T07:00:00Z"),
    }
}

fn reminder(n: u128, event: ReminderEvent) -> AnyEvent {
    AnyEvent::Reminder(occasion(n).id(), event)
}

fn begun(n: u128) -> AnyEvent {
    let tried = Try {
        attempt: 1,
        appointment_version: 1,
        client_version: 1,
        message_id: "m@example.org".to_owned(),
        lapses_at: at("2026-12-01T07:03:00Z"),
    };
    reminder(n, ReminderEvent::ReminderBegun(ReminderBegun { of: occasion(n), tried }))
}

struct Read {
    world: World,
    reminders: Reminders,
    tenant: TenantId,
}

impl Read {
    async fn of(events: Vec<AnyEvent>, at_once: usize) -> Self {
        let world = World::new().await;
        let tenant = world.tenant("north").await;
        let read = Self { reminders: Reminders::new(world.pool.clone()), world, tenant };
        read.append(events, at_once).await;
        read
    }

    async fn append(&self, events: Vec<AnyEvent>, at_once: usize) {
        let runner = self.world.start(self.world.projections());
        for events in events.chunks(at_once) {
            let head = self.world.append(&self.tenant, events).await;
            self.world.caught_up(&self.tenant, Reminders::ID, head).await;
        }
        runner.stop().await;
    }

    async fn of_appointment(&self, id: AppointmentId) -> Vec<ReminderRow> {
        let filter = ReminderFilter { appointment_id: Some(id), ..ReminderFilter::default() };
        self.page(&filter).await
    }

    async fn page(&self, filter: &ReminderFilter) -> Vec<ReminderRow> {
        // In pages of two, to the end.
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let limit = Limit::new(2).unwrap();
            let page = self.reminders.page(&self.tenant, filter, cursor.as_ref(), limit).await;
            let page = page.unwrap();
            all.extend(page.items);
            let Some(next) = page.next else { return all };
            cursor = Some(next);
        }
    }

    /// When each is due, and what has become of it.
    async fn told(&self, n: u128) -> Vec<(String, Status)> {
        let rows = self.of_appointment(appointment(n)).await;
        rows.iter().map(|row| (row.of.due.to_rfc3339(), row.status)).collect()
    }

    /// All rows.
    async fn rows(&self) -> Vec<String> {
        let mut all = Vec::new();
        for table in ["appointments", "services", "resources", "reminders"] {
            let sql = format!(
                "SELECT to_jsonb(t)::text FROM {}.{table} t ORDER BY 1",
                Schema::of(Reminders::ID)
            );
            let rows: Vec<String> =
                sqlx::query_scalar(&sql).fetch_all(&self.world.pool).await.unwrap();
            all.extend(rows);
        }
        all
    }
}

fn planned(due: &[&str]) -> Vec<(String, Status)> {
    due.iter().map(|due| (at(due).to_rfc3339(), Status::Planned)).collect()
}

const EVE: &str = "2026-11-30T17:00:00Z";
const EIGHT: &str = "2026-12-01T07:00:00Z";

fn practice() -> Vec<AnyEvent> {
    vec![service(DAY_AND_HOUR, true), resource(1)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_planned_follows_from_the_appointment() {
    let read = Read::of([practice(), vec![booked(1, NINE), booked(2, NINE)]].concat(), 2).await;
    assert_eq!(read.told(1).await, planned(&[EVE, EIGHT]));
    let away = "2026-12-02T09:00:00Z";
    read.append(vec![moved(1, away), cancelled(2)], 1).await;
    assert_eq!(read.told(1).await, planned(&["2026-12-01T17:00:00Z", "2026-12-02T08:00:00Z"]));
    assert_eq!(read.told(2).await, []);
    read.append(vec![moved(1, NINE)], 1).await;
    assert_eq!(read.told(1).await, planned(&[EVE, EIGHT]), "moved back");
    let imported = Details { imported: true, ..at_nine(3, NINE) };
    read.append(vec![of(3, AppointmentEvent::AppointmentBooked(imported))], 1).await;
    assert_eq!(read.told(3).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_due_before_it_was_booked_or_ruled_is_not_planned() {
    let read = Read::of(practice(), 2).await;
    read.world.clock.move_on(at("2026-11-30T20:00:00Z") - read.world.clock.now());
    read.append(vec![booked(1, NINE)], 1).await;
    assert_eq!(read.told(1).await, planned(&[EIGHT]));
    // A rule that is there again is another one.
    read.append(vec![service("[]", false)], 1).await;
    assert_eq!(read.told(1).await, []);
    read.world.clock.move_on(TimeDelta::hours(11));
    read.append(vec![service(DAY_AND_HOUR, false), booked(2, "2026-12-03T08:00:00Z")], 1).await;
    assert_eq!(read.told(1).await, [], "it is eight already");
    assert_eq!(read.told(2).await.len(), 2);
}

/// A log of years whose service gets its first rule: nobody is reminded of what was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_rule_plans_what_is_to_come() {
    let old = (1..=3).map(|n| booked(n, &format!("2026-12-0{n}T08:00:00Z")));
    let before = [vec![service("[]", true), resource(1)], old.collect()].concat();
    let read = Read::of(before, 2).await;
    read.world.clock.move_on(at("2026-12-02T07:30:00Z") - read.world.clock.now());
    read.append(vec![service(DAY_AND_HOUR, false)], 1).await;
    assert_eq!(read.told(1).await, []);
    assert_eq!(read.told(2).await, [], "an hour before was half an hour ago");
    assert_eq!(read.told(3).await, planned(&["2026-12-02T17:00:00Z", "2026-12-03T07:00:00Z"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_become_of_a_reminder_stays_whatever_is_planned() {
    let read = Read::of([practice(), vec![booked(1, NINE)]].concat(), 2).await;
    let sent = reminder(1, ReminderEvent::ReminderSent(Sent { code: 250 }));
    read.append(vec![begun(1), sent], 1).await;
    let told = [planned(&[EVE]), vec![(at(EIGHT).to_rfc3339(), Status::Sent)]].concat();
    assert_eq!(read.told(1).await, told);
    let away = "2026-12-02T09:00:00Z";
    read.append(vec![moved(1, away), moved(1, NINE)], 1).await;
    assert_eq!(read.told(1).await, told, "sent once for this start");
    read.append(vec![cancelled(1)], 1).await;
    assert_eq!(read.told(1).await, told[1..]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_does_not_matter_how_events_fall_into_batches() {
    let transient = Failed {
        failure: Failure::Transient,
        code: Some(451),
        retry_at: Some(at("2026-12-01T07:00:10Z")),
    };
    let hour = r#"[{"before_minutes":60,"channel":"email"}]"#;
    let story = || {
        vec![
            service("[]", true),
            resource(1),
            booked(1, NINE),
            booked(2, NINE),
            service(DAY_AND_HOUR, false),
            begun(1),
            moved(2, "2026-12-02T09:00:00Z"),
            reminder(1, ReminderEvent::ReminderFailed(transient)),
            service(hour, false),
            booked(4, NINE),
            begun(4),
            cancelled(4),
            moved(2, NINE),
            cancelled(1),
            service(DAY_AND_HOUR, false),
            booked(5, NINE),
        ]
    };
    let one_by_one = Read::of(story(), 1).await.rows().await;
    assert!(one_by_one.len() > 6, "{one_by_one:?}");
    for at_once in [2, 3, 5, 100] {
        assert_eq!(Read::of(story(), at_once).await.rows().await, one_by_one, "{at_once}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_is_filtered_and_in_the_order_of_what_is_due() {
    let sent = reminder(1, ReminderEvent::ReminderSent(Sent { code: 250 }));
    let events = vec![booked(1, NINE), booked(2, NINE), booked(3, "2026-12-03T08:00:00Z")];
    let read = Read::of([practice(), events, vec![begun(1), sent]].concat(), 3).await;
    let all = ReminderFilter::default();
    let due = |rows: Vec<ReminderRow>| -> Vec<_> {
        rows.into_iter().map(|row| row.of.due.to_rfc3339()).collect()
    };
    let found = due(read.page(&all).await);
    assert!(found.len() == 6 && found.is_sorted(), "{found:?}");
    let statuses = vec![Status::Sent];
    let sent = read.page(&ReminderFilter { statuses, ..all.clone() }).await;
    assert_eq!(sent.iter().map(|row| row.of.appointment_id).collect::<Vec<_>>(), [appointment(1)]);
    let (from, to) = (Some(at(EIGHT)), Some(at("2026-12-02T17:00:00Z")));
    let found = due(read.page(&ReminderFilter { from, to, ..all }).await);
    assert_eq!(found, [at(EIGHT).to_rfc3339(), at(EIGHT).to_rfc3339()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_is_what_can_still_be_sent() {
    let now: DateTime<Utc> = SystemTime::now().into();
    let ago = |minutes| (now - TimeDelta::minutes(minutes)).to_rfc3339();
    let read = Read::of(practice(), 2).await;
    let insert = format!(
        "INSERT INTO {}.reminders SELECT 'north', lpad(n::text, 32, '0')::uuid, lpad(n::text, 32, '0')::uuid,
                gen_random_uuid(), gen_random_uuid(), CASE WHEN status = 'planned' THEN gen_random_uuid() END,
                'email-60m', '2100-01-01', at::timestamptz, status, at::timestamptz, 0, NULL, NULL, NULL, NULL,
                CASE WHEN status = 'planned' THEN 0 ELSE 1 END, 0
           FROM unnest($1::int[], $2::text[], $3::text[]) AS u (n, status, at)",
        Schema::of(Reminders::ID)
    );
    let all = [
        (1, "planned", 1),
        (2, "planned", 23 * 60),
        (3, "planned", 25 * 60),
        (4, "planned", -60),
        (5, "begun", 25 * 60),
        (6, "failed", 1),
        (7, "asked", 1),
        (8, "sent", 1),
        (9, "skipped", 1),
    ];
    sqlx::query(&insert)
        .bind(all.map(|(n, ..)| n))
        .bind(all.map(|(_, status, _)| status))
        .bind(all.map(|(.., minutes)| ago(minutes)))
        .execute(&read.world.pool)
        .await
        .unwrap();
    let due = read.reminders.due(DueQuery { ahead: TimeDelta::seconds(4), but: &[] }, None);
    let due = due.await.unwrap();
    let mut ids: Vec<String> = due.iter().map(|it| it.id.uuid().simple().to_string()).collect();
    ids.sort();
    let ids: Vec<&str> = ids.iter().map(|id| id.trim_start_matches('0')).collect();
    assert_eq!(ids, ["1", "2", "5", "6", "7"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_are_due_the_earlier_is_superseded() {
    let now: DateTime<Utc> = SystemTime::now().into();
    let read = Read::of(practice(), 2).await;
    let insert = format!(
        "INSERT INTO {}.reminders SELECT 'north', lpad(n::text, 32, '0')::uuid, $1,
                gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'email-' || n || 'm', '2100-01-01',
                at, 'planned', at, 0, NULL, NULL, NULL, NULL, 0, 0
           FROM unnest(ARRAY[1, 2, 3], $2::timestamptz[]) AS u (n, at)",
        Schema::of(Reminders::ID)
    );
    let minutes = |minutes| now + TimeDelta::minutes(minutes);
    sqlx::query(&insert)
        .bind(Uuid::from_u128(7))
        .bind(vec![minutes(-50), minutes(-5), minutes(40)])
        .execute(&read.world.pool)
        .await
        .unwrap();
    let superseded = async |n: u128| {
        let one = read.reminders.one(&read.tenant, Uuid::from_u128(n).into()).await.unwrap();
        // The ids of this test are written as decimals.
        one.map(|one| one.is_superseded)
    };
    assert_eq!(superseded(1).await, Some(true));
    assert_eq!(superseded(2).await, Some(false), "the third is not due yet");
    assert_eq!(superseded(3).await, Some(false));
}
