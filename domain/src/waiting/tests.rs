//! What becomes of entries of the waiting list.

mod freed;
mod places;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::json;
use uuid::Uuid;

use super::{
    EntryLimits, EntryState, Joined, Offer, Status, WaitingCommand, WaitingEntry, WaitingEvent,
    WaitingListJoined, WaitingRefusal, WaitingWishesPassed, WishedDays, Wishes,
};
use crate::appointment::{Appointment, AppointmentCommand, AppointmentRefusal};
use crate::claim::{Claim, ClaimSnapshot, Claimed, Claims as _};
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
    join_within(EntryLimits::default(), 0, wishes)
}

fn join_within(limits: EntryLimits, part: u16, wishes: Wishes) -> WaitingCommand {
    WaitingCommand::Join { client_id: client(), wishes, limits, part }
}

fn joined() -> Given<WaitingEntry> {
    let (client_id, joined_at) = (client(), now());
    given([WaitingEvent::WaitingListJoined(WaitingListJoined {
        client_id,
        wishes: wishes(),
        joined_at,
        quota_slots: Vec::new(),
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

fn within(per_client: u16, in_all: u16) -> EntryLimits {
    let (per_client, in_all) = (per_client.try_into().unwrap(), in_all.try_into().unwrap());
    EntryLimits { per_client, in_all }
}

/// What comes of joining a part of the list where these claims are.
fn joining_beside(limits: EntryLimits, part: u16, claims: &[Claim]) -> Decided<WaitingEntry> {
    let command = join_within(limits, part, wishes());
    let mut facts = facts_for(&WaitingEntry::default().needs(&command), now());
    let claimed = (900..)
        .zip(claims)
        .map(|(n, claim)| Claimed { claim: *claim, holder: Uuid::from_u128(n).into() });
    facts.claims = ClaimSnapshot::at(now(), claimed);
    given([]).knowing(&facts).when(command)
}

fn claims_of(joined: &Decided<WaitingEntry>) -> Vec<Claim> {
    joined.event().claims_after().unwrap()
}

#[test]
fn who_waits_often_enough_is_refused_and_so_is_everybody_when_the_list_is_full() {
    let first = claims_of(&joining_beside(within(2, 5), 0, &[]));
    let second = claims_of(&joining_beside(within(2, 5), 0, &first));
    assert_eq!([first.len(), second.len()], [2, 2]);
    for (one, other) in first.iter().zip(&second) {
        assert_eq!((other.resource, other.seat), (one.resource, one.seat + 1));
    }
    let (client_id, required) = (client(), within(2, 5).per_client);
    joining_beside(within(2, 5), 0, &[first.clone(), second.clone()].concat())
        .then_refused(WaitingRefusal::ClientEntryLimit { client_id, required, found: 2 });
    let of_others: Vec<Claim> = [first, second].into_iter().map(|claims| claims[1]).collect();
    joining_beside(within(2, 3), 0, &of_others).and();
    let required = within(2, 2).in_all;
    joining_beside(within(2, 2), 0, &of_others)
        .then_refused(WaitingRefusal::WaitingListFull { required, found: 2 });
}

#[test]
fn a_long_list_has_parts_with_room_of_their_own() {
    assert_eq!([1, 1_000, 1_001, 50_000].map(|in_all| within(2, in_all).parts()), [1, 1, 2, 50]);
    let last = claims_of(&joining_beside(within(9, 1_001), 1, &[]));
    let required = within(9, 1_001).in_all;
    joining_beside(within(9, 1_001), 1, &last[1..])
        .then_refused(WaitingRefusal::WaitingListFull { required, found: 1_001 });
    joining_beside(within(9, 1_001), 0, &last[1..]).and();
    joining_beside(within(9, 1_001), 2, &[])
        .then_refused(WaitingRefusal::WaitingListFull { required, found: 1_001 });
}

#[test]
fn an_entry_counts_while_it_is_open_and_its_wishes_stand() {
    let joined = joining_beside(within(1, 1), 0, &[]);
    let bounds = wishes().days.bounds().unwrap();
    assert!(claims_of(&joined).iter().all(|claim| claim.during.end() == bounds.end()));
    let after = |given: Given<WaitingEntry>, command| given.when(command).event().claims_after();
    assert_eq!(after(joined.and(), WaitingCommand::OfferPlace(offer())), None);
    assert_eq!(after(offered(), WaitingCommand::Leave), Some(Vec::new()));
    assert_eq!(after(offered(), WaitingCommand::LapseOffer), Some(Vec::new()));
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
