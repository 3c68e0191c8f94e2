//! What becomes of entries of the waiting list.

mod freed;
mod places;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::json;
use uuid::Uuid;

use super::{
    EntryState, Joined, Offer, Room, Status, WaitingCommand, WaitingEntry, WaitingEvent,
    WaitingListJoined, WaitingRefusal, WaitingWishesPassed, WishedDays, Wishes,
};
use crate::appointment::{Appointment, AppointmentCommand, AppointmentRefusal};
use crate::client::Client;
use crate::resource::Resource;
use crate::service::rules::BookingRules;
use crate::service::{HoldLimit, Service, ServiceTerms};
use crate::testing::{Decided, Given, a_booking, at, facts_for, given, now, resource, terms};
use crate::time::{Duration, WeeklyHours};
use crate::{ClientId, Decide as _, Facts, Refusal};

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
    WaitingCommand::Join { client_id: client(), wishes, room: Room::default() }
}

fn joined() -> Given<WaitingEntry> {
    let (client_id, joined_at) = (client(), now());
    given([WaitingEvent::WaitingListJoined(WaitingListJoined {
        client_id,
        wishes: wishes(),
        joined_at,
    })])
}

fn offer() -> Offer {
    Offer {
        appointment_id: Uuid::from_u128(300).into(),
        start: at("2026-11-23T09:00:00Z"),
        expires_at: at("2026-11-23T07:15:00Z"),
    }
}

fn offered() -> Given<WaitingEntry> {
    joined().when(WaitingCommand::OfferPlace(offer())).and()
}

fn status(entry: &Given<WaitingEntry>) -> Status {
    entry.state().joined().unwrap().state.status()
}

/// What comes of joining in a world that is as it should be, but for this.
fn joining(wishes: Wishes, but: impl FnOnce(&mut Facts)) -> Decided<WaitingEntry> {
    let command = join(wishes);
    let mut facts = facts_for(&WaitingEntry::default().needs(&command), now());
    but(&mut facts);
    given([]).knowing(&facts).when(command)
}

#[test]
fn a_client_who_joins_waits() {
    let joined = joining(wishes(), |_| ()).and().state();
    let Joined { client_id, joined_at, state, .. } = joined.joined().unwrap();
    assert_eq!((*client_id, *joined_at, *state), (client(), now(), EntryState::Waiting));
}

#[test]
fn what_can_never_be_had_is_not_waited_for() {
    let service_id = wishes().service_id;
    let offered = |but: ServiceTerms| Arc::new(Service::Offered(but));
    let a_minute = Some(Duration::from_minutes(1).unwrap());
    let nobody = || Wishes { resource_ids: None, ..wishes() };
    joining(wishes(), |facts| facts.service = Arc::new(Service::Retired(terms())))
        .then_refused(AppointmentRefusal::RetiredService { service_id });
    joining(wishes(), |facts| facts.service = Arc::default())
        .then_refused(AppointmentRefusal::UnknownService { service_id });
    joining(wishes(), |facts| facts.client = Arc::new(Client::Unregistered))
        .then_refused(AppointmentRefusal::UnknownClient { client_id: client() });
    joining(wishes(), |facts| facts.resources[0].1 = Arc::new(Resource::Unregistered))
        .then_refused(AppointmentRefusal::UnknownResource { resource_id: resource(1) });
    joining(nobody(), |_| ()).then_refused(AppointmentRefusal::NoResources);
    let needs = serde_json::from_value(json!([{"role": "doctor", "kind": "staff"}])).unwrap();
    let with_doctor = ServiceTerms { needs, ..terms() };
    assert!(matches!(
        joining(wishes(), |facts| facts.service = offered(with_doctor)).refusal(),
        Refusal::Appointment(AppointmentRefusal::UnfitResource { .. })
    ));
    assert!(matches!(
        joining(Wishes { duration: a_minute, ..wishes() }, |_| ()).refusal(),
        Refusal::Appointment(AppointmentRefusal::RuleBroken(_))
    ));
}

#[test]
fn a_duration_that_the_service_offers_can_be_waited_for() {
    let duration = Some(Duration::from_minutes(60).unwrap());
    let rules: BookingRules =
        serde_json::from_value(json!({"durations": [{"minutes": 60}]})).unwrap();
    let service = Arc::new(Service::Offered(ServiceTerms { rules, ..terms() }));
    joining(Wishes { duration, ..wishes() }, |facts| facts.service = service).and();
}

#[test]
fn days_that_have_passed_or_are_too_far_ahead_are_not_waited_for() {
    let of = |from, to| Wishes { days: days(from, to), ..wishes() };
    let last = |date: &str| date.parse().unwrap();
    let passed = WaitingRefusal::WishesPassed { last: last("2026-11-22") };
    given::<WaitingEntry>([]).when(join(of("2026-11-20", "2026-11-22"))).then_refused(passed);
    let (required, found) = (last("2027-11-24"), last("2027-11-25"));
    given::<WaitingEntry>([])
        .when(join(of("2027-11-24", "2027-11-25")))
        .then_refused(WaitingRefusal::TooFarAhead { required, found });
    given::<WaitingEntry>([]).when(join(of("2027-11-24", "2027-11-24"))).and();
}

#[test]
fn who_waits_often_enough_is_refused_and_so_is_everybody_when_the_list_is_full() {
    let (per_client, in_all) = (2.try_into().unwrap(), 5.try_into().unwrap());
    let with = |of_client, of_all| {
        let room = Room { of_client, per_client, of_all, in_all };
        given::<WaitingEntry>([]).when(WaitingCommand::Join {
            client_id: client(),
            wishes: wishes(),
            room,
        })
    };
    with(1, 4).and();
    let (client_id, required) = (client(), per_client);
    with(2, 4).then_refused(WaitingRefusal::ClientEntryLimit { client_id, required, found: 2 });
    with(1, 5).then_refused(WaitingRefusal::WaitingListFull { required: in_all, found: 5 });
    with(1, 7).then_refused(WaitingRefusal::WaitingListFull { required: in_all, found: 7 });
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
    assert_eq!(offered().state().joined().unwrap().state, EntryState::Offered(offer()));
    offered().when(WaitingCommand::OfferPlace(offer())).then_refused(WaitingRefusal::OfferOpen);
    for (command, becomes) in [
        (WaitingCommand::TakePlace, Status::Taken),
        (WaitingCommand::LapseOffer, Status::Lapsed),
        (WaitingCommand::Leave, Status::Left),
    ] {
        let closed = offered().when(command.clone()).and();
        assert_eq!(status(&closed), becomes);
        for command in [command, WaitingCommand::OfferPlace(offer()), WaitingCommand::Leave] {
            let refusal = WaitingRefusal::EntryClosed { waiting_status: becomes };
            closed.clone().when(command).then_refused(refusal);
        }
    }
    for command in [WaitingCommand::TakePlace, WaitingCommand::LapseOffer] {
        joined().when(command).then_refused(WaitingRefusal::NoOffer);
    }
}

#[test]
fn wishes_pass_when_their_last_day_is_over() {
    let over = at("2026-11-27T23:00:00Z");
    joined()
        .at(over - chrono::TimeDelta::seconds(1))
        .when(WaitingCommand::PassWishes)
        .then_refused(WaitingRefusal::WishesStand);
    joined()
        .at(over)
        .when(WaitingCommand::PassWishes)
        .then(WaitingEvent::WaitingWishesPassed(WaitingWishesPassed {}));
    let seen = |at| joined().state().joined().unwrap().seen(None, at).status();
    assert_eq!(seen(over - chrono::TimeDelta::seconds(1)), Status::Waiting);
    assert_eq!(seen(over), Status::Expired);
}

fn held() -> Given<Appointment> {
    let hold = AppointmentCommand::HoldAppointment {
        booking: a_booking("2026-11-23T09:00:00Z"),
        expires_at: offer().expires_at,
        holds_per_client: HoldLimit::default(),
    };
    given([]).when(hold).and()
}

#[test]
fn an_offer_is_what_its_hold_is() {
    let offered = offered().state();
    let becomes = |command| {
        let hold = held().when(command).and().state();
        offered.joined().unwrap().seen(Some(&hold), now()).status()
    };
    assert_eq!(becomes(AppointmentCommand::ConfirmAppointment), Status::Taken);
    assert_eq!(becomes(AppointmentCommand::ReleaseHold), Status::Lapsed);
    let hold = held().state();
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
