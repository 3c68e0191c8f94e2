//! What becomes of reminders.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    Begin, Occasion, Reminder, ReminderBegun, ReminderCommand, ReminderDue, ReminderDueAgain,
    ReminderEvent, ReminderGivenUp, ReminderRefusal, ReminderSkipped, Why,
};
use crate::appointment::{
    Appointment, AppointmentCancelled, AppointmentCheckedIn, AppointmentEvent,
    AppointmentRescheduled, CancelledBy, MovedBy,
};
use crate::client::{Client, ClientRecord, Contact, Reminding, RestrictionReason};
use crate::sending::{
    Failed, Failure, MAX_TRIES, MAX_UNKNOWN, Outcome, SendState, Sent, Try, next,
};
use crate::service::{ReminderRules, Service, ServiceTerms};
use crate::testing::{at, booked, contact, details, facts, given, resource, terms};
use crate::{Decide as _, Email, Facts, Personal, SeenVersions};

const START: &str = "2026-11-24T09:00:00Z";
/// A day before.
const DUE: &str = "2026-11-23T09:00:00Z";

fn rules() -> ReminderRules {
    let rules =
        r#"[{"before_minutes":1440,"channel":"email"},{"before_minutes":60,"channel":"email"}]"#;
    serde_json::from_str(rules).unwrap()
}

fn of() -> Occasion {
    Occasion {
        appointment_id: Uuid::from_u128(1).into(),
        service_id: Uuid::from_u128(100).into(),
        client_id: Uuid::from_u128(200).into(),
        rule: rules().iter().next().unwrap(),
        start: at(START),
        due: at(DUE),
    }
}

fn begin() -> Begin {
    Begin {
        of: of(),
        zone_of: resource(1),
        since: at("2026-11-01T00:00:00Z"),
        is_superseded: false,
        message_id: "m@example.org".to_owned(),
        lasts: TimeDelta::minutes(2),
    }
}

fn reachable() -> Contact {
    Contact { email: Some(Personal::new(Email::new("c@example.org").unwrap())), ..contact() }
}

/// The appointment after these events, of a service with rules, for a client with an address.
fn world(events: impl IntoIterator<Item = AppointmentEvent>) -> Facts {
    let mut appointment = Appointment::default();
    events.into_iter().for_each(|event| appointment.evolve(event));
    Facts {
        now: at(DUE),
        appointment: Arc::new(appointment),
        service: Arc::new(Service::Offered(ServiceTerms { reminders: rules(), ..terms() })),
        client: Arc::new(Client::Registered(reachable().into())),
        versions: SeenVersions { appointment: 1, client: 3 },
        ..facts()
    }
}

fn a_try(attempt: u16, begun_at: DateTime<Utc>) -> Try {
    Try {
        attempt,
        appointment_version: 1,
        client_version: 3,
        message_id: "m@example.org".to_owned(),
        lapses_at: begun_at + TimeDelta::minutes(2),
    }
}

fn begun() -> ReminderEvent {
    ReminderEvent::ReminderBegun(ReminderBegun { of: of(), tried: a_try(1, at(DUE)) })
}

fn failed(failure: Failure, retry_at: Option<&str>) -> ReminderEvent {
    ReminderEvent::ReminderFailed(Failed { failure, code: None, retry_at: retry_at.map(at) })
}

fn moved_to(start: &str) -> AppointmentEvent {
    AppointmentEvent::AppointmentRescheduled(AppointmentRescheduled {
        slot: details(start).slot,
        hold_expires_at: None,
        by: MovedBy::Client,
        with_calendar: false,
        overridden: None,
    })
}

fn cancelled() -> AppointmentEvent {
    AppointmentEvent::AppointmentCancelled(AppointmentCancelled {
        reason: None,
        by: CancelledBy::Client,
        overridden: None,
    })
}

fn given_up(why: Why) -> ReminderEvent {
    ReminderEvent::ReminderGivenUp(ReminderGivenUp { why })
}

fn skipped(why: Why) -> ReminderEvent {
    ReminderEvent::ReminderSkipped(ReminderSkipped { of: of(), why })
}

#[test]
fn it_is_begun_when_it_is_due_by_what_there_is_then() {
    let world = world([booked(START)]);
    let nothing = || given::<Reminder>([]).knowing(&world);
    nothing().when(ReminderCommand::Begin(begin())).then(begun());
    let early = at(DUE) - TimeDelta::microseconds(1);
    nothing()
        .at(early)
        .when(ReminderCommand::Begin(begin()))
        .then_refused(ReminderRefusal::ReminderNotDue);
    // It was reassigned, and the clocks of another resource count.
    let other_clocks = Facts { resources: vec![(resource(2), Arc::default())], ..world.clone() };
    given::<Reminder>([])
        .knowing(&other_clocks)
        .when(ReminderCommand::Begin(begin()))
        .then_refused(ReminderRefusal::ReminderNotDue);
}

#[test]
fn what_is_not_planned_any_more_is_not_begun() {
    let imported = AppointmentEvent::AppointmentBooked(crate::appointment::Details {
        imported: true,
        ..details(START)
    });
    for events in [
        vec![booked(START), cancelled()],
        vec![booked(START), moved_to("2026-11-24T10:00:00Z")],
        vec![imported],
        vec![],
    ] {
        given::<Reminder>([])
            .knowing(&world(events))
            .when(ReminderCommand::Begin(begin()))
            .then_refused(ReminderRefusal::ReminderNotDue);
    }
    let no_rules = Facts { service: Arc::new(Service::Offered(terms())), ..world([booked(START)]) };
    given::<Reminder>([])
        .knowing(&no_rules)
        .when(ReminderCommand::Begin(begin()))
        .then_refused(ReminderRefusal::ReminderNotDue);
}

#[test]
fn it_is_skipped_where_nobody_is_to_be_reminded_and_the_ledger_says_why() {
    let there = world([booked(START)]);
    let client = |client| Facts { client: Arc::new(client), ..there.clone() };
    let restriction = Some(RestrictionReason::AccuracyContested);
    let restricted = ClientRecord { restriction, ..reachable().into() };
    let unwanted = Contact { reminders: Reminding::None, ..reachable() };
    let came = AppointmentEvent::AppointmentCheckedIn(AppointmentCheckedIn {});
    let later = |hours| Facts { now: at(DUE) + TimeDelta::hours(hours), ..there.clone() };
    let superseded = Begin { is_superseded: true, ..begin() };
    let a_copy = Begin { since: at(DUE) + TimeDelta::seconds(1), ..begin() };
    for (why, world, begin) in [
        (Why::NoAddress, client(Client::Registered(contact().into())), begin()),
        (Why::NoAddress, client(Client::Erased { finished: false }), begin()),
        (Why::Restricted, client(Client::Registered(restricted)), begin()),
        (Why::NotWanted, client(Client::Registered(unwanted.into())), begin()),
        (Why::Over, world([booked(START), came]), begin()),
        (Why::TooLate, later(24), begin()),
        (Why::Superseded, there.clone(), superseded),
        (Why::TooLate, there.clone(), a_copy),
    ] {
        given::<Reminder>([])
            .knowing(&world)
            .when(ReminderCommand::Begin(begin))
            .then(skipped(why))
            .when(ReminderCommand::Begin(self::begin()))
            .then_refused(ReminderRefusal::ReminderSettled);
    }
}

#[test]
fn what_was_due_longer_ago_than_a_day_is_not_begun() {
    let week = serde_json::from_str(r#"{"before_days":7,"channel":"email"}"#).unwrap();
    let early =
        Begin { of: Occasion { rule: week, due: at("2026-11-17T09:00:00Z"), ..of() }, ..begin() };
    let rules: ReminderRules = vec![week].try_into().unwrap();
    let service = Arc::new(Service::Offered(ServiceTerms { reminders: rules, ..terms() }));
    let world = Facts { service, ..world([booked(START)]) };
    given::<Reminder>([])
        .knowing(&world)
        .at(at("2026-11-18T09:00:01Z"))
        .when(ReminderCommand::Begin(early.clone()))
        .then(ReminderEvent::ReminderSkipped(ReminderSkipped { of: early.of, why: Why::TooLate }));
}

#[test]
fn a_try_is_settled_once_and_tried_again_when_it_is_time() {
    let world = world([booked(START)]);
    let settle = |outcome| ReminderCommand::Settle { attempt: 1, outcome, jitter: 0 };
    let again = given::<Reminder>([begun()])
        .knowing(&world)
        .when(settle(Outcome::Transient { code: None }))
        .then(failed(Failure::Transient, Some("2026-11-23T09:00:10Z")));
    again
        .clone()
        .when(settle(Outcome::Accepted { code: 250 }))
        .then_refused(ReminderRefusal::ReminderNotUnderWay);
    again
        .clone()
        .when(ReminderCommand::Begin(begin()))
        .then_refused(ReminderRefusal::ReminderNotDue);
    let time = at("2026-11-23T09:00:10Z");
    let other_id = Begin { message_id: "another@example.org".to_owned(), ..begin() };
    let tried = a_try(2, time);
    again
        .at(time)
        .when(ReminderCommand::Begin(other_id))
        .then(ReminderEvent::ReminderBegunAgain(super::ReminderBegunAgain { tried }));
}

/// The relay said 451, then the appointment was moved: the mail of before is never sent.
#[test]
fn what_has_changed_meanwhile_is_given_up() {
    let events = [begun(), failed(Failure::Transient, Some("2026-11-23T09:00:10Z"))];
    for (why, world) in [
        (Why::Moved, world([booked(START), moved_to("2026-11-24T10:00:00Z")])),
        (Why::Cancelled, world([booked(START), cancelled()])),
    ] {
        given::<Reminder>(events.clone())
            .knowing(&world)
            .at(at("2026-11-23T09:05:00Z"))
            .when(ReminderCommand::Begin(begin()))
            .then(given_up(why));
    }
    let a_copy = Begin { since: at(DUE) + TimeDelta::seconds(1), ..begin() };
    given::<Reminder>(events.clone())
        .knowing(&world([booked(START)]))
        .at(at("2026-11-23T09:05:00Z"))
        .when(ReminderCommand::Begin(a_copy))
        .then(given_up(Why::TooLate));
    let superseded = Begin { is_superseded: true, ..begin() };
    given::<Reminder>(events)
        .knowing(&world([booked(START)]))
        .at(at("2026-11-23T09:05:00Z"))
        .when(ReminderCommand::Begin(superseded))
        .then(given_up(Why::Superseded));
}

#[test]
fn a_try_that_lapses_is_unknown_and_tried_once_more() {
    let world = world([booked(START)]);
    given::<Reminder>([begun()])
        .knowing(&world)
        .when(ReminderCommand::Lapse)
        .then_refused(ReminderRefusal::ReminderNotUnderWay);
    let lapsed = given::<Reminder>([begun()])
        .knowing(&world)
        .at(at("2026-11-23T09:02:00Z"))
        .when(ReminderCommand::Lapse)
        .then(failed(Failure::Unknown, Some("2026-11-23T09:02:00Z")));
    // Whoever was cut off learns that it was taken after all.
    lapsed
        .clone()
        .when(ReminderCommand::Settle {
            attempt: 1,
            outcome: Outcome::Accepted { code: 250 },
            jitter: 0,
        })
        .then(ReminderEvent::ReminderSent(Sent { code: 250 }));
    let tried = a_try(2, at("2026-11-23T09:02:00Z"));
    let again = ReminderEvent::ReminderBegunAgain(super::ReminderBegunAgain { tried });
    lapsed
        .when(ReminderCommand::Begin(begin()))
        .then(again)
        .at(at("2026-11-23T09:10:00Z"))
        .when(ReminderCommand::Lapse)
        .then(failed(Failure::Unknown, None))
        .when(ReminderCommand::Begin(begin()))
        .then_refused(ReminderRefusal::ReminderSettled);
}

#[test]
fn it_is_sent_once_more_when_somebody_asks_for_it_with_another_id() {
    let world = world([booked(START)]);
    let sent = ReminderEvent::ReminderSent(Sent { code: 250 });
    let asked = given::<Reminder>([begun(), sent])
        .knowing(&world)
        .when(ReminderCommand::AskForResend(of()))
        .then(ReminderEvent::ReminderResendAsked(super::ReminderResendAsked { at: at(DUE) }));
    let other_id = Begin { message_id: "another@example.org".to_owned(), ..begin() };
    let tried = Try { message_id: "another@example.org".to_owned(), ..a_try(2, at(DUE)) };
    asked
        .when(ReminderCommand::Begin(other_id))
        .then(ReminderEvent::ReminderBegunAgain(super::ReminderBegunAgain { tried }));
    given::<Reminder>([begun()])
        .knowing(&world)
        .at(at(START))
        .when(ReminderCommand::AskForResend(of()))
        .then_refused(ReminderRefusal::ReminderUnderWay { lapses_at: at("2026-11-23T09:02:00Z") });
    given::<Reminder>([skipped(Why::NoAddress)])
        .knowing(&world)
        .at(at(START))
        .when(ReminderCommand::AskForResend(of()))
        .then_refused(ReminderRefusal::ReminderTooLate);
}

#[test]
fn what_is_planned_is_sent_before_it_is_due_when_somebody_asks_for_it() {
    let world = world([booked(START)]);
    let early = at("2026-11-23T08:00:00Z");
    let asked = given::<Reminder>([])
        .knowing(&world)
        .at(early)
        .when(ReminderCommand::AskForResend(of()))
        .then(ReminderEvent::ReminderAsked(super::ReminderAsked { of: of(), at: early }));
    let tried = a_try(1, early);
    asked
        .when(ReminderCommand::Begin(begin()))
        .then(ReminderEvent::ReminderBegunAgain(super::ReminderBegunAgain { tried }));
    let gone = self::world([booked(START), cancelled()]);
    given::<Reminder>([ReminderEvent::ReminderAsked(super::ReminderAsked { of: of(), at: early })])
        .knowing(&gone)
        .when(ReminderCommand::Begin(begin()))
        .then(given_up(Why::Cancelled));
}

/// What others send is told to be due, by the same rules; they know how the client is reached.
#[test]
fn a_reminder_that_others_send_is_told_to_be_due_and_no_more() {
    let rule = serde_json::from_str(r#"{"before_minutes":1440,"channel":"webhook"}"#).unwrap();
    let rules: ReminderRules = vec![rule].try_into().unwrap();
    let service = Arc::new(Service::Offered(ServiceTerms { reminders: rules, ..terms() }));
    let client = |client| Arc::new(client);
    let reached = Client::Registered(contact().into());
    let world = |events: Vec<AppointmentEvent>| Facts {
        service: Arc::clone(&service),
        client: client(reached.clone()),
        ..self::world(events)
    };
    let of = Occasion { rule, ..of() };
    let begin = || ReminderCommand::Begin(Begin { of, ..begin() });
    let due = ReminderDue { of, appointment_version: 1, client_version: 3 };
    let told = given::<Reminder>([])
        .knowing(&world(vec![booked(START)]))
        .when(begin())
        .then(ReminderEvent::ReminderDue(due));
    told.clone().when(begin()).then_refused(ReminderRefusal::ReminderSettled);
    told.clone().when(ReminderCommand::Lapse).then_refused(ReminderRefusal::ReminderNotUnderWay);
    let again = ReminderDueAgain { of, appointment_version: 1, client_version: 3 };
    told.when(ReminderCommand::AskForResend(of))
        .then(ReminderEvent::ReminderResendAsked(super::ReminderResendAsked { at: at(DUE) }))
        .when(begin())
        .then(ReminderEvent::ReminderDueAgain(again));
    given::<Reminder>([])
        .knowing(&world(vec![booked(START), cancelled()]))
        .when(begin())
        .then_refused(ReminderRefusal::ReminderNotDue);
    let unwanted = Contact { reminders: Reminding::None, ..contact() };
    for (why, client) in [
        (Why::NotWanted, Client::Registered(unwanted.into())),
        (Why::NoAddress, Client::Erased { finished: false }),
    ] {
        let world = Facts { client: Arc::new(client), ..world(vec![booked(START)]) };
        given::<Reminder>([])
            .knowing(&world)
            .when(begin())
            .then(ReminderEvent::ReminderSkipped(ReminderSkipped { of, why }));
    }
}

#[test]
fn the_same_start_is_the_same_reminder_and_another_is_another() {
    let other = |of: Occasion| assert_ne!(of.id(), self::of().id());
    assert_eq!(of().id().to_string(), of().id().to_string());
    other(Occasion { start: at("2026-11-24T09:00:01Z"), ..of() });
    other(Occasion { appointment_id: Uuid::from_u128(2).into(), ..of() });
    other(Occasion { rule: rules().iter().nth(1).unwrap(), ..of() });
    // It is for ever: what was sent must not be sent again because ids are made in another way.
    assert_eq!(of().id().to_string(), "2f74c888-8d8d-51ea-a0a1-94e6f632246b");
}

#[test]
fn pauses_become_longer_and_end_before_the_start() {
    let (now, start) = (at(DUE), at(START));
    let pause = |tries, jitter| next(tries, jitter, now, start).map(|at| (at - now).num_seconds());
    assert_eq!(
        [1, 2, 3, 7, 8, 19].map(|tries| pause(tries, 0).unwrap()),
        [10, 20, 40, 640, 900, 900]
    );
    assert_eq!(pause(1, 50), Some(15));
    assert_eq!(pause(MAX_TRIES, 0), None);
    assert_eq!(next(1, 0, start - TimeDelta::seconds(10), start), None);
}

#[derive(Debug, Clone)]
enum Step {
    Begin { superseded: bool },
    Settle(Outcome<Why>),
    Lapse,
    Resend,
    Move(bool),
    Cancel,
}

fn step() -> impl Strategy<Value = (i64, Step)> {
    let outcome = prop_oneof![
        Just(Outcome::Accepted { code: 250 }),
        Just(Outcome::Transient { code: Some(451) }),
        Just(Outcome::Permanent { code: Some(550) }),
        Just(Outcome::Unknown),
    ];
    let step = prop_oneof![
        6 => any::<bool>().prop_map(|superseded| Step::Begin { superseded }),
        6 => outcome.prop_map(Step::Settle),
        3 => Just(Step::Lapse),
        1 => Just(Step::Resend),
        1 => any::<bool>().prop_map(Step::Move),
        1 => Just(Step::Cancel),
    ];
    (0_i64..4_000, step)
}

proptest! {
    /// Whatever happens in whatever order: nothing is begun for an appointment that is not booked then, nor while a try is
    /// under way, nor again after it was sent unless that was asked for; tries are bounded, and so are those of which
    /// nobody knows what has become of them.
    #[test]
    fn a_client_is_reminded_of_what_is_to_come_and_as_often_as_is_known(
        steps in prop::collection::vec(step(), 1..120)
    ) {
        let (mut reminder, mut appointment) = (Reminder::default(), Appointment::default());
        appointment.evolve(booked(START));
        let mut now = at(DUE);
        let (mut open, mut sent, mut tries, mut unknown) = (false, false, 0_u16, 0_u16);
        for (seconds, step) in steps {
            now += TimeDelta::seconds(seconds);
            let attempt = reminder.ledger().map_or(1, |ledger| ledger.course.attempts);
            let command = match step {
                Step::Begin { superseded } => {
                    ReminderCommand::Begin(Begin { is_superseded: superseded, ..begin() })
                }
                Step::Settle(outcome) => ReminderCommand::Settle { attempt, outcome, jitter: 7 },
                Step::Lapse => ReminderCommand::Lapse,
                Step::Resend => ReminderCommand::AskForResend(of()),
                Step::Move(back) => {
                    appointment.evolve(moved_to(if back { START } else { "2026-11-25T09:00:00Z" }));
                    continue;
                }
                Step::Cancel => {
                    appointment.evolve(cancelled());
                    continue;
                }
            };
            let facts =
                Facts { now, appointment: Arc::new(appointment.clone()), ..world([]) };
            let Ok(event) = reminder.decide(command, &facts) else { continue };
            match &event {
                ReminderEvent::ReminderBegun(_) | ReminderEvent::ReminderBegunAgain(_) => {
                    prop_assert!(!open && !sent);
                    prop_assert_eq!(appointment.status(), Some(crate::appointment::Status::Booked));
                    prop_assert_eq!(appointment.slot().unwrap().during.start(), at(START));
                    prop_assert!(now < at(START));
                    (open, tries) = (true, tries + 1);
                    prop_assert!(tries <= MAX_TRIES);
                }
                ReminderEvent::ReminderSent(_) => (open, sent) = (false, true),
                ReminderEvent::ReminderFailed(failed) => {
                    open = false;
                    unknown += u16::from(failed.failure == Failure::Unknown);
                    prop_assert!(unknown <= MAX_UNKNOWN + 1);
                    prop_assert!(failed.retry_at.is_none_or(|at| at < self::at(START)));
                }
                ReminderEvent::ReminderSkipped(_) | ReminderEvent::ReminderGivenUp(_) => open = false,
                ReminderEvent::ReminderDue(_) | ReminderEvent::ReminderDueAgain(_) => {
                    prop_assert!(false, "it is mailed");
                }
                ReminderEvent::ReminderResendAsked(_) | ReminderEvent::ReminderAsked(_) => {
                    (sent, tries, unknown) = (false, 0, 0);
                }
            }
            reminder.evolve(event);
            let is_begun = reminder
                .ledger()
                .is_some_and(|ledger| matches!(ledger.course.state, SendState::Begun { .. }));
            prop_assert_eq!(open, is_begun);
        }
    }
}
