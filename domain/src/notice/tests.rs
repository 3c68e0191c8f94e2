//! What becomes of notices.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    Begin, Notice, NoticeBegun, NoticeBegunAgain, NoticeCommand, NoticeEvent, NoticeGivenUp,
    NoticeRefusal, NoticeSkipped, Notices, Standing, Subject, Told, What, Why, due,
};
use crate::appointment::{
    Appointment, AppointmentCancelled, AppointmentEvent, AppointmentRescheduled, CancelledBy,
    Details, MovedBy,
};
use crate::client::{Client, Contact};
use crate::sending::{Failed, Failure, Outcome, SendState, Sent, Try};
use crate::testing::{at, contact, details, facts, given};
use crate::{Decide as _, Email, Facts, Personal, SeenVersions};

const START: &str = "2026-11-24T09:00:00Z";
const LATER: &str = "2026-11-25T09:00:00Z";
const NOW: &str = "2026-11-20T09:00:00Z";

fn booked(start: &str) -> AppointmentEvent {
    AppointmentEvent::AppointmentBooked(Details { notices: true, ..details(start) })
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
    let by = CancelledBy::Client;
    AppointmentEvent::AppointmentCancelled(AppointmentCancelled {
        reason: None,
        by,
        overridden: None,
    })
}

fn after(events: &[AppointmentEvent]) -> Appointment {
    let mut appointment = Appointment::default();
    for event in events {
        appointment.evolve(event.clone());
    }
    appointment
}

fn told(events: &[AppointmentEvent]) -> Told {
    Told::of(&after(events)).unwrap()
}

fn world(events: &[AppointmentEvent]) -> Facts {
    let email = Some(Personal::new(Email::new("c@example.org").unwrap()));
    Facts {
        now: at(NOW),
        appointment: Arc::new(after(events)),
        client: Arc::new(Client::Registered(Contact { email, ..contact() }.into())),
        versions: SeenVersions { appointment: events.len() as u64, client: 3 },
        ..facts()
    }
}

/// As the read model has it after these.
fn begin(events: &[AppointmentEvent]) -> Begin {
    Begin {
        appointment_id: Uuid::from_u128(1).into(),
        service_id: Uuid::from_u128(100).into(),
        client_id: Uuid::from_u128(200).into(),
        appointment_version: events.len() as u64,
        sequence: Some(u32::try_from(events.len() - 1).unwrap()),
        is_offered: false,
        changed_at: at(NOW),
        since: at("2026-11-01T00:00:00Z"),
        notices: Notices::Email,
        message_id: format!("{}@example.org", events.len()),
        lasts: TimeDelta::minutes(2),
    }
}

fn of(what: What, events: &[AppointmentEvent]) -> Subject {
    let Begin { appointment_id, service_id, client_id, sequence, .. } = begin(events);
    Subject { appointment_id, service_id, client_id, what, sequence, told: told(events) }
}

fn a_try(attempt: u16, events: &[AppointmentEvent], now: DateTime<Utc>) -> Try {
    Try {
        attempt,
        appointment_version: events.len() as u64,
        client_version: 3,
        message_id: format!("{}@example.org", events.len()),
        lapses_at: now + TimeDelta::minutes(2),
    }
}

fn settle(attempt: u16, outcome: Outcome<Why>) -> NoticeCommand {
    NoticeCommand::Settle { attempt, outcome, jitter: 0 }
}

const SENT: NoticeEvent = NoticeEvent::NoticeSent(Sent { code: 250 });

fn begun() -> NoticeEvent {
    let events = [booked(START)];
    let of = of(What::Confirmation, &events);
    NoticeEvent::NoticeBegun(NoticeBegun { of, tried: a_try(1, &events, at(NOW)) })
}

#[test]
fn a_client_is_told_of_what_is_so_and_not_of_what_they_know() {
    let events = [booked(START), moved_to(LATER), cancelled()];
    let (first, second) = (&events[..1], &events[..2]);
    let confirmed = given::<Notice>([])
        .knowing(&world(first))
        .when(NoticeCommand::Begin(begin(first)))
        .then(begun())
        .when(settle(1, Outcome::Accepted { code: 250 }))
        .then(SENT);
    confirmed
        .clone()
        .when(NoticeCommand::Begin(begin(first)))
        .then_refused(NoticeRefusal::NoticeNotDue);
    let tried = a_try(2, second, at(NOW));
    let changed = NoticeBegunAgain { of: of(What::Change, second), tried };
    given::<Notice>([begun(), SENT])
        .knowing(&world(second))
        .when(NoticeCommand::Begin(begin(second)))
        .then(NoticeEvent::NoticeBegunAgain(changed.clone()));
    let tried = a_try(3, &events, at(NOW));
    let taken_back = NoticeBegunAgain { of: of(What::Cancellation, &events), tried };
    given::<Notice>([begun(), SENT, NoticeEvent::NoticeBegunAgain(changed), SENT])
        .knowing(&world(&events))
        .when(NoticeCommand::Begin(begin(&events)))
        .then(NoticeEvent::NoticeBegunAgain(taken_back));
    // Whoever was never told of it has nothing to take back.
    let never = [booked(START), cancelled()];
    given::<Notice>([])
        .knowing(&world(&never))
        .when(NoticeCommand::Begin(begin(&never)))
        .then_refused(NoticeRefusal::NoticeNotDue);
}

#[test]
fn an_offer_is_told_once_and_what_comes_of_it_is_confirmed() {
    let held = Told {
        standing: Standing::Held,
        hold_expires_at: Some(at("2026-11-20T09:15:00Z")),
        ..told(&[booked(START)])
    };
    let (booked, cancelled) = (told(&[booked(START)]), told(&[booked(START), self::cancelled()]));
    assert_eq!(due(None, &held, false), None, "a hold that nobody has waited for");
    assert_eq!(due(None, &held, true), Some(What::Offer));
    assert_eq!(due(Some(&held), &booked, true), Some(What::Confirmation));
    assert_eq!(due(Some(&held), &cancelled, true), None, "they know until when");
    assert_eq!(held.until(), at("2026-11-20T09:15:00Z"));
    let revision = |before, sequence, after| Told::revision(before, sequence, after);
    assert_eq!(revision(None, None, &held), None);
    assert_eq!(revision(Some(&held), None, &booked), Some(0));
    assert_eq!(revision(Some(&booked), Some(0), &booked), Some(0));
    assert_eq!(revision(Some(&booked), Some(0), &cancelled), Some(1));
}

#[test]
fn nothing_is_begun_by_what_is_known_no_more() {
    let events = [booked(START), moved_to(LATER)];
    given::<Notice>([])
        .knowing(&world(&events))
        .when(NoticeCommand::Begin(begin(&events[..1])))
        .then_refused(NoticeRefusal::NoticeNotDue);
    let silent = [AppointmentEvent::AppointmentBooked(details(START))];
    given::<Notice>([])
        .knowing(&world(&silent))
        .when(NoticeCommand::Begin(begin(&silent)))
        .then_refused(NoticeRefusal::NoticeNotDue);
}

#[test]
fn it_is_skipped_where_nobody_is_to_be_told_and_the_ledger_says_why() {
    let events = [booked(START)];
    let begin = || begin(&events);
    let day = TimeDelta::hours(24) + TimeDelta::seconds(1);
    for (why, begin) in [
        (Why::Off, Begin { notices: Notices::Off, ..begin() }),
        (Why::TooLate, Begin { since: at(NOW) + TimeDelta::seconds(1), ..begin() }),
        (Why::TooLate, Begin { changed_at: at(NOW) - day, ..begin() }),
    ] {
        let of = of(What::Confirmation, &events);
        given::<Notice>([])
            .knowing(&world(&events))
            .when(NoticeCommand::Begin(begin))
            .then(NoticeEvent::NoticeSkipped(NoticeSkipped { of, why }))
            .when(NoticeCommand::Begin(self::begin(&events)))
            .then_refused(NoticeRefusal::NoticeNotDue);
    }
    let nobody = Facts { client: Arc::new(Client::Erased { finished: false }), ..world(&events) };
    let of = of(What::Confirmation, &events);
    given::<Notice>([])
        .knowing(&nobody)
        .when(NoticeCommand::Begin(begin()))
        .then(NoticeEvent::NoticeSkipped(NoticeSkipped { of, why: Why::NoAddress }));
    let of = self::of(What::Confirmation, &events);
    given::<Notice>([])
        .knowing(&world(&events))
        .at(at(START))
        .when(NoticeCommand::Begin(Begin { changed_at: at(START), ..begin() }))
        .then(NoticeEvent::NoticeSkipped(NoticeSkipped { of, why: Why::TooLate }));
}

/// The relay said 451, then the appointment was moved: the mail of before is never sent, and the client is told once.
#[test]
fn what_has_changed_meanwhile_is_told_instead() {
    let events = [booked(START), moved_to(LATER), moved_to(START)];
    let failed = NoticeEvent::NoticeFailed(Failed {
        failure: Failure::Transient,
        code: Some(451),
        retry_at: Some(at("2026-11-20T09:00:10Z")),
    });
    let first = of(What::Confirmation, &events[..1]);
    let given_up = NoticeGivenUp { of: first.clone(), why: Why::Superseded };
    let given_up = NoticeEvent::NoticeGivenUp(given_up);
    let tried = a_try(2, &events[..2], at(NOW));
    given::<Notice>([begun(), failed.clone()])
        .knowing(&world(&events[..2]))
        .when(NoticeCommand::Begin(begin(&events[..2])))
        .then(given_up.clone())
        .when(NoticeCommand::Begin(begin(&events[..2])))
        .then(NoticeEvent::NoticeBegunAgain(NoticeBegunAgain {
            // Nobody has told them yet.
            of: of(What::Confirmation, &events[..2]),
            tried,
        }));
    // And back, before that was begun: it is told after all.
    let tried = a_try(2, &events, at(NOW));
    given::<Notice>([begun(), failed.clone(), given_up])
        .knowing(&world(&events))
        .when(NoticeCommand::Begin(begin(&events)))
        .then(NoticeEvent::NoticeBegunAgain(NoticeBegunAgain {
            of: of(What::Confirmation, &events),
            tried,
        }));
    // Nothing has changed: the same message, when it is time.
    let time = at("2026-11-20T09:00:10Z");
    let tried = a_try(2, &events[..1], time);
    let again = given::<Notice>([begun(), failed]).knowing(&world(&events[..1]));
    again
        .clone()
        .when(NoticeCommand::Begin(begin(&events[..1])))
        .then_refused(NoticeRefusal::NoticeNotDue);
    again
        .at(time)
        .when(NoticeCommand::Begin(begin(&events[..1])))
        .then(NoticeEvent::NoticeBegunAgain(NoticeBegunAgain { of: first, tried }));
}

#[test]
fn what_may_have_been_taken_is_sent_once_more_with_the_same_id_and_counts_as_told() {
    let events = [booked(START), cancelled()];
    let begun = given::<Notice>([self::begun()]).knowing(&world(&events[..1]));
    begun.clone().when(NoticeCommand::Lapse).then_refused(NoticeRefusal::NoticeNotUnderWay);
    let lapsed = begun.at(at("2026-11-20T09:02:00Z")).when(NoticeCommand::Lapse).then(
        NoticeEvent::NoticeFailed(Failed {
            failure: Failure::Unknown,
            code: None,
            retry_at: Some(at("2026-11-20T09:02:00Z")),
        }),
    );
    let tried = a_try(2, &events[..1], at("2026-11-20T09:02:00Z"));
    lapsed.when(NoticeCommand::Begin(begin(&events[..1]))).then(NoticeEvent::NoticeBegunAgain(
        NoticeBegunAgain { of: of(What::Confirmation, &events[..1]), tried },
    ));
    let unknown = Failed { failure: Failure::Unknown, code: None, retry_at: None };
    let tried = a_try(2, &events, at(NOW));
    given::<Notice>([self::begun(), NoticeEvent::NoticeFailed(unknown)])
        .knowing(&world(&events))
        .when(NoticeCommand::Begin(begin(&events)))
        .then(NoticeEvent::NoticeBegunAgain(NoticeBegunAgain {
            of: of(What::Cancellation, &events),
            tried,
        }));
}

#[test]
fn an_appointment_has_one_notice_for_ever() {
    let appointment: crate::AppointmentId = Uuid::from_u128(1).into();
    assert_eq!(
        crate::NoticeId::of(appointment).to_string(),
        Uuid::new_v5(
            &Uuid::from_u128(0x1f0c_93a5_6b0e_4d7e_8a41_c2d5_90be_3f71),
            appointment.uuid().as_bytes()
        )
        .to_string()
    );
    assert_eq!(appointment.calendar_uid(), "00000000-0000-0000-0000-000000000001");
}

#[derive(Debug, Clone)]
enum Step {
    Begin { late: bool },
    Settle(Outcome<Why>),
    Lapse,
    Move(bool),
    Cancel,
}

fn step() -> impl Strategy<Value = (i64, Step)> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Accepted { code: 250 }),
        2 => Just(Outcome::Transient { code: Some(451) }),
        1 => Just(Outcome::Permanent { code: Some(550) }),
        1 => Just(Outcome::Unknown),
    ];
    let step = prop_oneof![
        8 => any::<bool>().prop_map(|late| Step::Begin { late }),
        8 => outcome.prop_map(Step::Settle),
        2 => Just(Step::Lapse),
        3 => any::<bool>().prop_map(Step::Move),
        1 => Just(Step::Cancel),
    ];
    (0_i64..2_000, step)
}

proptest! {
    /// Whatever happens in whatever order: what is begun is what is so; one message is under way at a time; an id is of one
    /// content, and rises with the revision; and once all is quiet, the client knows what is so, unless they could not be told.
    #[test]
    fn a_client_is_told_what_is_so_and_of_each_state_once(
        steps in prop::collection::vec(step(), 1..100)
    ) {
        let mut events = vec![booked(START)];
        let (mut notice, mut now, mut revision) = (Notice::default(), at("2026-11-10T09:00:00Z"), 0);
        let mut messages: Vec<(String, Told)> = Vec::new();
        let mut open = false;
        for (seconds, step) in steps {
            now += TimeDelta::seconds(seconds);
            let attempt = notice.ledger().map_or(1, |ledger| ledger.course.attempts);
            let mut seen = events.clone();
            let command = match step {
                Step::Begin { late } => {
                    if late && seen.len() > 1 {
                        seen.pop();
                    }
                    NoticeCommand::Begin(Begin { changed_at: now, ..begin(&seen) })
                }
                Step::Settle(outcome) => settle(attempt, outcome),
                Step::Lapse => NoticeCommand::Lapse,
                Step::Move(_) | Step::Cancel if matches!(events.last(), Some(AppointmentEvent::AppointmentCancelled(_))) => continue,
                Step::Move(back) => {
                    events.push(moved_to(if back { START } else { LATER }));
                    continue;
                }
                Step::Cancel => {
                    events.push(cancelled());
                    continue;
                }
            };
            let facts = Facts { now, ..world(&events) };
            let Ok(event) = notice.decide(command, &facts) else { continue };
            if let NoticeEvent::NoticeBegun(NoticeBegun { of, tried })
            | NoticeEvent::NoticeBegunAgain(NoticeBegunAgain { of, tried }) = &event
            {
                prop_assert!(!open);
                prop_assert_eq!(&of.told, &told(&events));
                prop_assert!(of.sequence.unwrap() >= revision);
                revision = of.sequence.unwrap();
                match messages.iter().find(|(id, _)| *id == tried.message_id) {
                    Some((_, before)) => prop_assert_eq!(before, &of.told),
                    None => messages.push((tried.message_id.clone(), of.told.clone())),
                }
                open = true;
            } else {
                open = false;
            }
            notice.evolve(event);
            let state = notice.ledger().map(|ledger| ledger.course.state);
            prop_assert_eq!(open, matches!(state, Some(SendState::Begun { .. })));
        }
        let present = told(&events);
        if notice.next(Some(&present), false, now).is_none() {
            let ledger = notice.ledger();
            let knows = ledger.is_some_and(|ledger| ledger.told.as_ref() == Some(&present));
            let never = present.standing == Standing::Cancelled
                && ledger.and_then(|ledger| ledger.told.as_ref()).is_none_or(|it| it.standing == Standing::Cancelled);
            let failed = ledger.is_some_and(|ledger| ledger.of.told == present);
            prop_assert!(knows || never || failed, "{notice:?}");
        }
    }
}
