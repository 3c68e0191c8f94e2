//! Decisions about series, and the form of their events.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use uuid::Uuid;

use super::recurrence_tests::recurrence;
use super::*;
use crate::appointment::{
    Appointment, AppointmentCheckedIn, AppointmentCommand, AppointmentEvent,
    AppointmentMarkedNoShow, AppointmentRefusal, CancelledBy, MovedBy,
};
use crate::testing::{Given, a_booking, at, booked as booked_appointment, given};
use crate::{AppointmentId, Refusal};

/// Mondays at nine in Oslo; between the second and the third clocks change.
fn mondays() -> Recurrence {
    recurrence("2027-03-15T09:00", Tz::Europe__Oslo, "FREQ=WEEKLY;COUNT=4")
}

fn ids() -> Vec<RecurrenceId> {
    mondays().occurrences().unwrap()
}

fn appointment(n: u128) -> AppointmentId {
    Uuid::from_u128(n).into()
}

fn no_resources() -> Refusal {
    AppointmentRefusal::NoResources.into()
}

/// The verdicts of a booking in which the nth are refused.
fn verdicts(mode: Mode, refused: &[usize]) -> Verdicts<AppointmentId> {
    let mut verdicts = Verdicts::default();
    for (n, id) in ids().into_iter().enumerate() {
        let verdict = if refused.contains(&n) {
            Verdict::Refused(no_resources())
        } else {
            Verdict::Done(appointment(n as u128))
        };
        if !verdicts.add(id, verdict, mode) {
            break;
        }
    }
    verdicts
}

fn book(mode: Mode, refused: &[usize]) -> SeriesCommand {
    SeriesCommand::BookSeries {
        recurrence: mondays(),
        mode,
        service_id: Uuid::from_u128(100).into(),
        client_id: Uuid::from_u128(200).into(),
        verdicts: verdicts(mode, refused),
    }
}

/// All four occurrences, but for those that were refused.
fn booked(mode: Mode, refused: &[usize]) -> SeriesBooked {
    let occurrences = (0u128..).zip(ids()).filter(|(n, _)| !refused.contains(&(*n as usize)));
    let occurrences = occurrences
        .map(|(n, recurrence_id)| Occurrence { recurrence_id, appointment_id: appointment(n) });
    let refusals = refused
        .iter()
        .map(|n| RefusedOccurrence { recurrence_id: ids()[*n], refusal: no_resources() });
    SeriesBooked {
        recurrence: mondays(),
        mode,
        service_id: Uuid::from_u128(100).into(),
        client_id: Uuid::from_u128(200).into(),
        occurrences: occurrences.collect(),
        refused: refusals.collect(),
    }
}

fn a_series(refused: &[usize]) -> Given<Series> {
    given([SeriesEvent::SeriesBooked(booked(Mode::BestEffort, refused))])
}

fn cancel(verdicts: Verdicts<()>, mode: Mode) -> SeriesCommand {
    let (which, by) = (Which::All, CancelledBy::Client);
    let cancelling = SeriesCancel { which, mode, reason: None, by, overriding: None };
    SeriesCommand::CancelSeries { cancelling, verdicts }
}

#[test]
fn a_series_is_booked_with_all_of_its_occurrences() {
    given::<Series>([])
        .when(book(Mode::AllOrNothing, &[]))
        .then(SeriesEvent::SeriesBooked(booked(Mode::AllOrNothing, &[])));
}

#[test]
fn of_all_or_nothing_the_first_refusal_is_that_of_all_and_says_which() {
    let (recurrence_id, refusal) = (ids()[1], Box::new(no_resources()));
    given::<Series>([])
        .when(book(Mode::AllOrNothing, &[1, 3]))
        .then_refused(SeriesRefusal::OccurrenceRefused { recurrence_id, refusal });
}

#[test]
fn as_many_as_can_be_are_booked_and_the_others_say_why_not() {
    given::<Series>([])
        .when(book(Mode::BestEffort, &[1, 3]))
        .then(SeriesEvent::SeriesBooked(booked(Mode::BestEffort, &[1, 3])));
}

#[test]
fn a_series_of_which_none_can_be_booked_is_refused_with_all_reasons() {
    let refused = booked(Mode::BestEffort, &[0, 1, 2, 3]).refused;
    given::<Series>([])
        .when(book(Mode::BestEffort, &[0, 1, 2, 3]))
        .then_refused(SeriesRefusal::NoneBooked { refused });
}

#[test]
fn a_change_is_for_one_for_it_and_what_follows_or_for_all_that_were_booked() {
    let series = a_series(&[1]).state();
    let affected = |which| -> Vec<RecurrenceId> {
        series.affected(which).unwrap().iter().map(|one| one.recurrence_id).collect()
    };
    let all = ids();
    assert_eq!(affected(Which::This(all[2])), [all[2]]);
    assert_eq!(affected(Which::Following(all[2])), [all[2], all[3]]);
    assert_eq!(affected(Which::All), [all[0], all[2], all[3]]);
    let recurrence_id = all[1];
    let unknown = Err(SeriesRefusal::UnknownOccurrence { recurrence_id });
    assert_eq!(series.affected(Which::This(recurrence_id)), unknown);
    assert_eq!(Series::default().affected(Which::All), Err(SeriesRefusal::SeriesNotFound));
}

#[test]
fn a_change_that_changes_nothing_is_refused() {
    let mut left = Verdicts::default();
    left.add(ids()[0], Verdict::Left(LeftBecause::Begun), Mode::AllOrNothing);
    a_series(&[])
        .when(cancel(left.clone(), Mode::AllOrNothing))
        .then_refused(SeriesRefusal::NothingToChange);
    left.add(ids()[1], Verdict::Refused(no_resources()), Mode::BestEffort);
    let refused = booked(Mode::BestEffort, &[1]).refused;
    a_series(&[])
        .when(cancel(left, Mode::BestEffort))
        .then_refused(SeriesRefusal::NoneChanged { refused });
}

#[test]
fn a_change_leaves_alone_what_has_begun_or_is_no_longer_booked() {
    use AppointmentEvent as E;
    let start = "2026-11-24T09:00:00Z";
    let left = |events: Vec<E>, now: DateTime<Utc>| {
        let booked = [booked_appointment(start)];
        LeftBecause::of(&given(booked.into_iter().chain(events)).state(), now)
    };
    let before = at(start) - TimeDelta::seconds(1);
    assert_eq!(left(vec![], before), None);
    assert_eq!(left(vec![], at(start)), Some(LeftBecause::Begun));
    let not_booked = Some(LeftBecause::NotBooked);
    assert_eq!(left(vec![E::AppointmentCheckedIn(AppointmentCheckedIn {})], before), not_booked);
    assert_eq!(
        left(vec![E::AppointmentMarkedNoShow(AppointmentMarkedNoShow {})], before),
        not_booked
    );
    assert_eq!(LeftBecause::of(&Appointment::default(), before), not_booked);
}

#[test]
fn an_appointment_says_of_which_series_it_is_and_a_move_does_not_change_that() {
    let series = InSeries { series_id: Uuid::from_u128(9).into(), recurrence_id: ids()[0] };
    let start = at("2026-11-24T09:00:00Z");
    let booking = a_booking("2026-11-24T08:00:00Z").as_occurrence(start, series);
    let moved = AppointmentCommand::RescheduleAppointment {
        start: start + TimeDelta::hours(1),
        resource_ids: None,
        by: MovedBy::Client,
        overriding: None,
    };
    let appointment = given::<Appointment>([])
        .when(AppointmentCommand::BookAppointment(booking))
        .and()
        .when(moved)
        .and()
        .state();
    let details = appointment.details().unwrap();
    assert_eq!(details.series, Some(series));
    assert_eq!(details.slot.during.start(), start + TimeDelta::hours(1));
}

/// A place in the calendar whose local time clocks show.
fn clear(start: DateTime<Utc>) -> Destination {
    Destination { start, skipped: None }
}

/// A series of one.
fn one_of(start: &str, zone: Tz) -> (RecurrenceId, Series) {
    let recurrence = recurrence(start, zone, "FREQ=DAILY;COUNT=1");
    let recurrence_id = recurrence.occurrences().unwrap()[0];
    let occurrences = vec![Occurrence { recurrence_id, appointment_id: appointment(0) }];
    let booked = SeriesBooked { recurrence, occurrences, ..booked(Mode::AllOrNothing, &[]) };
    (recurrence_id, given([SeriesEvent::SeriesBooked(booked)]).state())
}

fn shift(days: i16, time: Option<&str>) -> Shift {
    Shift { days: days.try_into().unwrap(), time: time.map(|time| time.parse().unwrap()) }
}

#[test]
fn all_move_by_the_same_local_days_to_the_same_local_time() {
    let (mondays, series) = (mondays(), a_series(&[]).state());
    let moved = |shift: Shift| -> Vec<String> {
        let start = |id| series.shifted(&shift, id, mondays.at(id)).unwrap().start;
        ids().into_iter().map(|id| start(id).format("%m-%dT%H:%MZ").to_string()).collect()
    };
    // Clocks change on the 28th.
    assert_eq!(
        moved(shift(2, None)),
        ["03-17T08:00Z", "03-24T08:00Z", "03-31T07:00Z", "04-07T07:00Z"]
    );
    assert_eq!(
        moved(shift(-1, Some("15:30"))),
        ["03-14T14:30Z", "03-21T14:30Z", "03-28T13:30Z", "04-04T13:30Z"]
    );
}

#[test]
fn one_that_was_moved_before_moves_from_where_it_is() {
    let tuesday_at_ten = at("2027-03-16T09:00:00Z");
    let moved = a_series(&[]).state().shifted(&shift(1, None), ids()[0], tuesday_at_ten);
    assert_eq!(moved, Ok(clear(at("2027-03-17T09:00:00Z"))));
}

#[test]
fn one_whose_local_time_was_left_out_moves_by_the_time_that_the_rule_gave_it() {
    let (id, series) = one_of("2027-03-28T02:30", Tz::Europe__Oslo);
    // It is at 03:30, since there is no 02:30.
    let moved = series.shifted(&shift(1, None), id, at("2027-03-28T01:30:00Z"));
    assert_eq!(moved, Ok(clear(at("2027-03-29T00:30:00Z"))));
}

#[test]
fn one_that_was_moved_to_a_time_that_clocks_skip_returns_to_its_own() {
    let (id, mut series) = one_of("2027-03-27T02:30", Tz::Europe__Oslo);
    let move_by = |series: &Series, days: i16, from: &str| {
        series.shifted(&shift(days, None), id, at(from)).unwrap()
    };
    let there = move_by(&series, 1, "2027-03-27T01:30:00Z");
    let skipped = Some("2027-03-28T02:30".parse().unwrap());
    assert_eq!(there, Destination { start: at("2027-03-28T01:30:00Z"), skipped });
    let moved = |to: Destination| {
        let mut verdicts = Verdicts::default();
        verdicts.add(id, Verdict::Done(to), Mode::AllOrNothing);
        let moving = SeriesMove {
            which: Which::All,
            shift: shift(1, None),
            resource_ids: None,
            mode: Mode::AllOrNothing,
            by: MovedBy::Staff,
            overriding: None,
        };
        a_series(&[]).when(SeriesCommand::RescheduleSeries { moving, verdicts }).event()
    };
    let stored = serde_json::to_value(moved(there)).unwrap();
    assert_eq!(
        stored["moved"],
        json!([{"recurrence_id": "2027-03-27T02:30", "start_at": "2027-03-28T01:30:00Z",
                "skipped": "2027-03-28T02:30"}])
    );
    series.evolve(serde_json::from_value(stored).unwrap());
    let back = clear(at("2027-03-27T01:30:00Z"));
    assert_eq!(move_by(&series, -1, "2027-03-28T01:30:00Z"), back);
    // Moved by itself meanwhile, it moves from where it is.
    let noon = move_by(&series, -1, "2027-03-28T10:00:00Z");
    assert_eq!(noon, clear(at("2027-03-27T11:00:00Z")));
    series.evolve(moved(back));
    let skipped_no_more = move_by(&series, 2, "2027-03-27T01:30:00Z");
    assert_eq!(skipped_no_more, clear(at("2027-03-29T00:30:00Z")));
}

#[test]
fn nothing_moves_out_of_the_calendar() {
    let (id, last) = one_of("2199-12-31T09:00", Tz::UTC);
    let out = last.shifted(&shift(1, None), id, at("2199-12-31T09:00:00Z"));
    assert_eq!(out, Err(SeriesRefusal::OutOfCalendar));
    assert!(ShiftDays::try_from(367).is_err());
}

#[test]
fn none_that_moves_is_in_the_way_of_another_that_moves_alike() {
    let planned = |hours: i64, by: i64| {
        let from = at("2027-03-15T08:00:00Z") + TimeDelta::hours(hours);
        let occurrence = Occurrence { recurrence_id: ids()[0], appointment_id: appointment(0) };
        PlannedMove { occurrence, from, to: clear(from + TimeDelta::hours(by)) }
    };
    let mut moves = [planned(1, 1), planned(9, -1), planned(2, 1), planned(8, -1), planned(3, 1)];
    PlannedMove::order(&mut moves);
    let order = [planned(3, 1), planned(2, 1), planned(1, 1), planned(8, -1), planned(9, -1)];
    assert_eq!(moves, order);
}

/// What is stored reads back as what it was, and is stored the same again.
fn is_stored_as(event: &SeriesEvent, stored: Value) {
    assert_eq!(serde_json::to_value(event).unwrap(), stored);
    assert_eq!(serde_json::from_value::<SeriesEvent>(stored).unwrap(), *event);
}

#[test]
fn a_booked_series_is_stored_with_its_rule_and_what_was_refused() {
    let id = |n: u128| Uuid::from_u128(n).to_string();
    is_stored_as(
        &SeriesEvent::SeriesBooked(booked(Mode::BestEffort, &[1, 2])),
        json!({
            "type": "SeriesBooked", "rrule": "FREQ=WEEKLY;COUNT=4", "dtstart": "2027-03-15T09:00",
            "time_zone": "Europe/Oslo", "mode": "best-effort", "service_id": id(100), "client_id": id(200),
            "occurrences": [{"recurrence_id": "2027-03-15T09:00", "appointment_id": id(0)},
                            {"recurrence_id": "2027-04-05T09:00", "appointment_id": id(3)}],
            "refused": [{"recurrence_id": "2027-03-22T09:00",
                         "refusal": {"aggregate": "appointment", "code": "no-resources"}},
                        {"recurrence_id": "2027-03-29T09:00",
                         "refusal": {"aggregate": "appointment", "code": "no-resources"}}],
        }),
    );
}

#[test]
fn a_changed_series_is_stored_with_what_was_changed_and_what_was_left() {
    let (first, second) = (ids()[0], ids()[1]);
    let mut verdicts = Verdicts::default();
    verdicts.add(second, Verdict::Done(clear(at("2027-03-23T14:30:00Z"))), Mode::AllOrNothing);
    verdicts.add(first, Verdict::Left(LeftBecause::Begun), Mode::AllOrNothing);
    let moving = SeriesMove {
        which: Which::Following(first),
        shift: shift(1, Some("15:30")),
        resource_ids: None,
        mode: Mode::AllOrNothing,
        by: MovedBy::Staff,
        overriding: None,
    };
    is_stored_as(
        &a_series(&[]).when(SeriesCommand::RescheduleSeries { moving, verdicts }).event(),
        json!({
            "type": "SeriesRescheduled", "scope": "following", "recurrence_id": "2027-03-15T09:00",
            "shift_days": 1, "time": "15:30", "mode": "all-or-nothing", "by": "staff",
            "moved": [{"recurrence_id": "2027-03-22T09:00", "start_at": "2027-03-23T14:30:00Z"}],
            "left": [{"recurrence_id": "2027-03-15T09:00", "because": "begun"}],
        }),
    );
    let mut verdicts = Verdicts::default();
    verdicts.add(first, Verdict::Done(()), Mode::AllOrNothing);
    is_stored_as(
        &a_series(&[]).when(cancel(verdicts, Mode::AllOrNothing)).event(),
        json!({
            "type": "SeriesCancelled", "scope": "all", "mode": "all-or-nothing", "by": "client",
            "cancelled": ["2027-03-15T09:00"],
        }),
    );
}

#[test]
fn an_appointment_of_no_series_is_stored_as_it_was_before_there_were_any() {
    let booked = booked_appointment("2026-11-24T09:00:00Z");
    let stored = serde_json::to_value(&booked).unwrap();
    assert!(stored.get("series").is_none());
    assert_eq!(serde_json::from_value::<AppointmentEvent>(stored).unwrap(), booked);
}

#[test]
fn refusals_of_a_series_are_stored_with_those_of_its_occurrences() {
    let refusal = Box::new(no_resources());
    for (refusal, stored) in [
        (
            SeriesRefusal::OccurrenceRefused { recurrence_id: ids()[0], refusal },
            json!({"aggregate": "series", "code": "occurrence-refused",
                   "recurrence_id": "2027-03-15T09:00",
                   "refusal": {"aggregate": "appointment", "code": "no-resources"}}),
        ),
        (
            SeriesRefusal::InvalidRrule(RuleError::BadValue { part: "BYDAY".to_owned() }),
            json!({"aggregate": "series", "code": "invalid-rrule", "why": "bad-value",
                   "part": "BYDAY"}),
        ),
    ] {
        let refusal = Refusal::from(refusal);
        assert_eq!(serde_json::to_value(&refusal).unwrap(), stored);
        assert_eq!(serde_json::from_value::<Refusal>(stored).unwrap(), refusal);
    }
}
