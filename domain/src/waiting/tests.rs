//! What becomes of entries of the waiting list.

mod places;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::json;
use uuid::Uuid;

use super::{
    Joined, Offer, State, Status, WaitingCommand, WaitingEntry, WaitingEvent, WaitingRefusal,
    WishedDays, Wishes,
};
use crate::appointment::testing::{a_booking, after, at, facts_for, now, resource, terms};
use crate::appointment::{Appointment, AppointmentCommand, AppointmentRefusal};
use crate::client::Client;
use crate::resource::Resource;
use crate::service::rules::BookingRules;
use crate::service::{HoldLimit, Service, ServiceTerms};
use crate::time::{Duration, WeeklyHours};
use crate::{ClientId, Decide as _, Facts, Needs, Refusal};

/// From the Monday to that Friday, for resource 1.
fn wishes() -> Wishes {
    Wishes {
        service_id: Uuid::from_u128(100).into(),
        duration: None,
        days: days("2026-11-23", "2026-11-27"),
        times: WeeklyHours::default(),
        resource_ids: Some(vec![resource(1)].try_into().unwrap()),
    }
}

fn days(from: &str, to: &str) -> WishedDays {
    WishedDays::new(from.parse().unwrap(), to.parse().unwrap(), Tz::Europe__Oslo).unwrap()
}

fn client() -> ClientId {
    Uuid::from_u128(200).into()
}

fn join(wishes: Wishes) -> WaitingCommand {
    WaitingCommand::Join { client_id: client(), wishes }
}

fn facts(command: &WaitingCommand) -> Facts {
    facts_for(&WaitingEntry::default().needs(command), now())
}

fn joined() -> WaitingEntry {
    let mut entry = WaitingEntry::default();
    let command = join(wishes());
    let facts = facts(&command);
    entry.evolve(entry.decide(command, &facts).unwrap());
    entry
}

fn offer() -> Offer {
    Offer {
        appointment_id: Uuid::from_u128(300).into(),
        start: at("2026-11-23T09:00:00Z"),
        expires_at: at("2026-11-23T07:15:00Z"),
    }
}

fn then(mut entry: WaitingEntry, command: WaitingCommand) -> Result<WaitingEntry, Refusal> {
    let event = entry.decide(command, &Facts::at(now()))?;
    entry.evolve(event);
    Ok(entry)
}

fn status(entry: &WaitingEntry) -> Status {
    entry.joined().unwrap().state.status()
}

#[track_caller]
fn refused(wishes: Wishes, but: impl FnOnce(&mut Facts)) -> Refusal {
    let command = join(wishes);
    let mut facts = facts(&command);
    but(&mut facts);
    WaitingEntry::default().decide(command, &facts).unwrap_err()
}

#[test]
fn a_client_who_joins_waits() {
    let entry = joined();
    let Joined { client_id, joined_at, state, .. } = entry.joined().unwrap();
    assert_eq!((*client_id, *joined_at, *state), (client(), now(), State::Waiting));
}

#[test]
fn what_can_never_be_had_is_not_waited_for() {
    let service_id = wishes().service_id;
    let offered = |but: ServiceTerms| Arc::new(Service::Offered(but));
    let a_minute = Some(Duration::from_minutes(1).unwrap());
    let nobody = || Wishes { resource_ids: None, ..wishes() };
    let refusal = |refusal: AppointmentRefusal| Refusal::from(refusal);
    assert_eq!(
        refused(wishes(), |facts| facts.service = Arc::new(Service::Retired(terms()))),
        refusal(AppointmentRefusal::RetiredService { service_id })
    );
    assert_eq!(
        refused(wishes(), |facts| facts.service = Arc::default()),
        refusal(AppointmentRefusal::UnknownService { service_id })
    );
    assert_eq!(
        refused(wishes(), |facts| facts.client = Arc::new(Client::Unregistered)),
        refusal(AppointmentRefusal::UnknownClient { client_id: client() })
    );
    assert_eq!(
        refused(wishes(), |facts| facts.resources[0].1 = Arc::new(Resource::Unregistered)),
        refusal(AppointmentRefusal::UnknownResource { resource_id: resource(1) })
    );
    assert_eq!(refused(nobody(), |_| ()), refusal(AppointmentRefusal::NoResources));
    let needs = serde_json::from_value(json!([{"role": "doctor", "kind": "staff"}])).unwrap();
    let with_doctor = ServiceTerms { needs, ..terms() };
    assert!(matches!(
        refused(wishes(), |facts| facts.service = offered(with_doctor)),
        Refusal::Appointment(AppointmentRefusal::UnfitResource { .. })
    ));
    assert!(matches!(
        refused(Wishes { duration: a_minute, ..wishes() }, |_| ()),
        Refusal::Appointment(AppointmentRefusal::RuleBroken(_))
    ));
}

#[test]
fn a_duration_that_the_service_offers_can_be_waited_for() {
    let duration = Some(Duration::from_minutes(60).unwrap());
    let rules: BookingRules =
        serde_json::from_value(json!({"durations": [{"minutes": 60}]})).unwrap();
    let command = join(Wishes { duration, ..wishes() });
    let mut facts = facts(&command);
    facts.service = Arc::new(Service::Offered(ServiceTerms { rules, ..terms() }));
    assert!(WaitingEntry::default().decide(command, &facts).is_ok());
}

#[test]
fn days_that_have_passed_or_are_too_far_ahead_are_not_waited_for() {
    let of = |from, to| Wishes { days: days(from, to), ..wishes() };
    let last = |date: &str| date.parse().unwrap();
    assert_eq!(
        refused(of("2026-11-20", "2026-11-22"), |_| ()),
        WaitingRefusal::WishesPassed { last: last("2026-11-22") }.into()
    );
    assert_eq!(
        refused(of("2027-11-24", "2027-11-25"), |_| ()),
        WaitingRefusal::TooFarAhead { required: last("2027-11-24"), found: last("2027-11-25") }
            .into()
    );
    let command = join(of("2027-11-24", "2027-11-24"));
    assert!(WaitingEntry::default().decide(command.clone(), &facts(&command)).is_ok());
}

#[test]
fn at_most_92_days_are_wished_for() {
    let new = |from: &str, to: &str| {
        WishedDays::new(from.parse().unwrap(), to.parse().unwrap(), Tz::UTC).is_ok()
    };
    assert!(new("2026-12-01", "2027-03-02"));
    assert!(!new("2026-12-01", "2027-03-03"));
    assert!(!new("2026-12-02", "2026-12-01"));
}

#[test]
fn a_place_is_offered_once_and_taken_or_lost() {
    let offered = then(joined(), WaitingCommand::OfferPlace(offer())).unwrap();
    assert_eq!(offered.joined().unwrap().state, State::Offered(offer()));
    let again = then(offered.clone(), WaitingCommand::OfferPlace(offer()));
    assert_eq!(again, Err(WaitingRefusal::OfferOpen.into()));
    for (command, becomes) in [
        (WaitingCommand::TakePlace, Status::Taken),
        (WaitingCommand::LapseOffer, Status::Lapsed),
        (WaitingCommand::Leave, Status::Left),
    ] {
        let closed = then(offered.clone(), command.clone()).unwrap();
        assert_eq!(status(&closed), becomes);
        for command in [command, WaitingCommand::OfferPlace(offer()), WaitingCommand::Leave] {
            let refusal = WaitingRefusal::EntryClosed { waiting_status: becomes };
            assert_eq!(then(closed.clone(), command), Err(refusal.into()));
        }
    }
    for command in [WaitingCommand::TakePlace, WaitingCommand::LapseOffer] {
        assert_eq!(then(joined(), command), Err(WaitingRefusal::NoOffer.into()));
    }
}

#[test]
fn wishes_pass_when_their_last_day_is_over() {
    let pass = |at: DateTime<Utc>| joined().decide(WaitingCommand::PassWishes, &Facts::at(at));
    let over = at("2026-11-27T23:00:00Z");
    assert_eq!(pass(over - chrono::TimeDelta::seconds(1)), Err(WaitingRefusal::WishesStand.into()));
    assert!(matches!(pass(over), Ok(WaitingEvent::WaitingWishesPassed(_))));
    let seen = |at| joined().joined().unwrap().seen(None, at).status();
    assert_eq!(seen(over - chrono::TimeDelta::seconds(1)), Status::Waiting);
    assert_eq!(seen(over), Status::Expired);
}

fn held() -> Appointment {
    after(vec![AppointmentCommand::HoldAppointment {
        booking: a_booking("2026-11-23T09:00:00Z"),
        expires_at: offer().expires_at,
        holds_per_client: HoldLimit::default(),
    }])
}

#[test]
fn an_offer_is_what_its_hold_is() {
    let offered = then(joined(), WaitingCommand::OfferPlace(offer())).unwrap();
    let hold = held();
    let becomes = |command| {
        let mut hold = hold.clone();
        let facts = facts_for(&Needs::default(), now());
        hold.evolve(hold.decide(command, &facts).unwrap());
        offered.joined().unwrap().seen(Some(&hold), now()).status()
    };
    assert_eq!(becomes(AppointmentCommand::ConfirmAppointment), Status::Taken);
    assert_eq!(becomes(AppointmentCommand::ReleaseHold), Status::Lapsed);
    let seen = |at| offered.joined().unwrap().seen(Some(&hold), at).status();
    assert_eq!(seen(offer().expires_at - chrono::TimeDelta::microseconds(1)), Status::Offered);
    assert_eq!(seen(offer().expires_at), Status::Lapsed);
}

#[test]
fn events_are_stored_like_this() {
    let id = "00000000-0000-0000-0000-0000000000c8";
    let service = "00000000-0000-0000-0000-000000000064";
    let joined = json!({"type": "WaitingListJoined", "client_id": id,
        "wishes": {"service_id": service, "duration_minutes": 60,
            "days": {"from": "2026-12-01", "to": "2026-12-20", "time_zone": "Europe/Oslo"},
            "times": [{"days": ["mon"], "from": "09:00", "to": "12:00"}],
            "resource_ids": [service]},
        "joined_at": "2026-11-23T07:00:00Z"});
    let simple = json!({"type": "WaitingListJoined", "client_id": id,
        "wishes": {"service_id": service,
            "days": {"from": "2026-12-01", "to": "2026-12-20", "time_zone": "UTC"}},
        "joined_at": "2026-11-23T07:00:00Z"});
    let offered = json!({"type": "WaitingPlaceOffered", "appointment_id": id,
        "start": "2026-12-01T09:00:00Z", "expires_at": "2026-11-23T07:15:00Z"});
    let others =
        ["WaitingPlaceTaken", "WaitingOfferLapsed", "WaitingWishesPassed", "WaitingListLeft"];
    let others = others.map(|name| json!({"type": name}));
    for stored in [joined, simple, offered].into_iter().chain(others) {
        let event: WaitingEvent = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), stored);
    }
}
