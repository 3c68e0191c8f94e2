//! What was copied from another calendar: what it takes, where it goes, and what is said about it.

use super::{
    Appointment, AppointmentCommand as C, AppointmentDescribed, AppointmentEvent, AppointmentPatch,
    AppointmentRefusal as R, AppointmentRescheduled, Booking, Copied, Description, Details,
    MovedBy, Seats, Slot, Takes, When,
};
use crate::claim::{Claim, ClaimSnapshot, Claimed, Claims};
use crate::testing::{Given, a_booking, at, booked, details, facts, given, resource};
use crate::time::{Duration, Interval};
use crate::{Decide as _, Facts, FreeTitle, Note, Personal, Reason, Title, Titles};

const TEN: &str = "2026-11-23T09:00:00Z";
const ELEVEN: &str = "2026-11-23T10:00:00Z";
const LAST_WEEK: &str = "2026-11-16T09:00:00Z";

fn hour(start: &str) -> Interval {
    Interval::lasting(at(start), Duration::from_minutes(60).unwrap())
}

fn copying(during: Interval, takes: Takes) -> Booking {
    Booking { when: When::Imported(Copied { during, takes }), ..a_booking(TEN) }
}

fn slot(during: Interval) -> Slot {
    Slot { during, ..details(TEN).slot }
}

fn copied(slot: Slot) -> AppointmentEvent {
    AppointmentEvent::AppointmentBooked(Details { slot, imported: true, ..details(TEN) })
}

fn nothing() -> Given<Appointment> {
    given([])
}

fn an_imported_appointment() -> Given<Appointment> {
    given([copied(slot(hour(TEN)))])
}

fn follow(during: Interval, takes: Takes) -> C {
    C::FollowCalendar { copied: Copied { during, takes }, resource_ids: None, overriding: None }
}

/// On these places another appointment lies over ten o'clock.
fn taken(seats: &[u16]) -> Facts {
    let claim = |seat| Claim { resource: resource(1), seat, during: hour(TEN), expires_at: None };
    let holder = uuid::Uuid::from_u128(77).into();
    let claims = seats.iter().map(|seat| Claimed { claim: claim(*seat), holder });
    Facts { claims: ClaimSnapshot::at(at("2026-11-23T07:00:00Z"), claims), ..facts() }
}

#[test]
fn what_takes_no_time_claims_nothing_whoever_is_there() {
    let transparent = Slot { transparent: true, ..slot(hour(TEN)) };
    let booked = copied(transparent.clone());
    assert_eq!(booked.claims_after(), Some(Vec::new()));
    let appointment = nothing()
        .knowing(&taken(&[0]))
        .when(C::BookAppointment(copying(hour(TEN), Takes::Nothing)))
        .then(booked);
    assert_eq!(appointment.state().booked_slot(), None);
    // Moved by whom ever, it still takes none.
    let moved = C::RescheduleAppointment {
        start: at(ELEVEN),
        resource_ids: None,
        by: MovedBy::Staff,
        overriding: None,
    };
    let moved = appointment.when(moved).and();
    assert!(moved.state().slot().unwrap().transparent);
}

#[test]
fn what_may_lie_over_another_has_the_place_or_one_beyond_it() {
    let book = || C::BookAppointment(copying(hour(TEN), Takes::PlaceOrMore));
    let queries = Appointment::default().claim_queries(&book(), &facts());
    assert_eq!(queries.len(), 1, "what is there has to be seen");
    nothing().when(book()).then(copied(slot(hour(TEN))));
    let beside = |seat| copied(Slot { seats: Seats::new(vec![seat]), ..slot(hour(TEN)) });
    nothing().knowing(&taken(&[0])).when(book()).then(beside(1));
    nothing().knowing(&taken(&[0, 1, 3])).when(book()).then(beside(2));
}

#[test]
fn what_is_exclusive_leaves_it_to_the_claims() {
    let book = C::BookAppointment(copying(hour(TEN), Takes::Place));
    assert_eq!(Appointment::default().claim_queries(&book, &facts()), []);
    nothing().knowing(&taken(&[0])).when(book).then(copied(slot(hour(TEN))));
}

#[test]
fn an_imported_appointment_goes_where_its_calendar_has_it() {
    let during = Interval::new(at(LAST_WEEK), at("2026-11-16T11:00:00Z")).unwrap();
    let moved = AppointmentRescheduled {
        slot: slot(during),
        hold_expires_at: None,
        by: MovedBy::Staff,
        with_calendar: true,
        overridden: None,
    };
    an_imported_appointment()
        .when(follow(during, Takes::Place))
        .then(AppointmentEvent::AppointmentRescheduled(moved));
    let cancel =
        C::CancelAppointment { reason: None, by: super::CancelledBy::Staff, overriding: None };
    let cancelled = an_imported_appointment().when(cancel).and();
    let refusal = cancelled.when(follow(during, Takes::Place)).refusal();
    assert!(matches!(refusal, R::WrongStatus { .. }), "{refusal:?}");
}

#[test]
fn what_was_booked_here_follows_no_calendar() {
    given::<Appointment>([booked(TEN)])
        .when(follow(hour(ELEVEN), Takes::Place))
        .then_refused(R::NotImported);
}

#[test]
fn where_it_goes_its_resources_are_open_or_that_is_overridden() {
    // A Sunday.
    let during = hour("2026-11-22T09:00:00Z");
    let closed = R::OutsideOpeningHours { resource_id: resource(1), during };
    an_imported_appointment().when(follow(during, Takes::Place)).then_refused(closed);
    let overriding = Some(Personal::new(Reason::new("it is so in the calendar").unwrap()));
    let copied = Copied::exclusive(during);
    let moved = an_imported_appointment()
        .when(C::FollowCalendar { copied, resource_ids: None, overriding })
        .and();
    let overridden = moved.state().details().unwrap().overridden.clone().unwrap();
    assert_eq!(overridden.closed, Some([resource(1)].into()));
}

/// What is said about one whose text is not for everybody.
fn privately(title: FreeTitle, note: Option<Personal<Note>>) -> AppointmentDescribed {
    let (location, reference, metadata) = Default::default();
    AppointmentDescribed { title, note, private: true, location, reference, metadata }
}

#[test]
fn what_is_said_about_it_is_replaced_in_every_status() {
    let title = FreeTitle::from(Title::new("Fitting").unwrap());
    let note = Some(Personal::new(Note::new("Left knee").unwrap()));
    let describe = C::DescribeAppointment(Description {
        title: title.clone().into(),
        note: note.clone().into(),
        private: true.into(),
        ..Description::default()
    });
    let described = privately(title, note);
    let event = AppointmentEvent::AppointmentDescribed(described.clone());
    assert_eq!(event.claims_after(), None, "its time stays as it is");
    let appointment =
        given::<Appointment>([booked(TEN)]).when(describe.clone()).then(event.clone());
    let details = appointment.state().details().cloned().unwrap();
    assert_eq!((details.title, details.note), (described.title, described.note));
    assert!(details.private);
    let cancel =
        C::CancelAppointment { reason: None, by: super::CancelledBy::Client, overriding: None };
    given::<Appointment>([booked(TEN)]).when(cancel).and().when(describe.clone()).then(event);
    nothing().when(describe).then_refused(R::AppointmentNotFound);
}

#[test]
fn what_a_change_does_not_name_stays() {
    let note = Some(Personal::new(Note::new("Left knee").unwrap()));
    let [first, title] = ["Fitting", "Second fitting"].map(|it| Title::new(it).unwrap().into());
    let described = privately(first, note.clone());
    let read = |patch: &str| serde_json::from_str::<AppointmentPatch>(patch).unwrap().commands();
    let [retitle] = read(r#"{"title": "Second fitting"}"#).try_into().unwrap();
    let event = privately(FreeTitle::clone(&title), note);
    let [without] = read(r#"{"note": null}"#).try_into().unwrap();
    let removed = privately(title, None);
    given::<Appointment>([booked(TEN), AppointmentEvent::AppointmentDescribed(described)])
        .when(retitle)
        .then(AppointmentEvent::AppointmentDescribed(event))
        .when(without)
        .then(AppointmentEvent::AppointmentDescribed(removed));
    let tags = Some(crate::Tags::default());
    let untagged = C::TagAppointment { category: None, tags };
    assert_eq!(read(r#"{"tags": null}"#), [untagged]);
    assert_eq!(read(r#"{"tags": [], "note": null}"#).len(), 2);
    assert_eq!(read("{}"), []);
}

/// As they lie in the log: what was written before there was any of this is written the same today.
#[test]
fn stored_events_are_read_and_written_as_they_are() {
    for stored in [
        r#"{"type":"AppointmentDescribed","title":"Fitting"}"#,
        r#"{"type":"AppointmentDescribed","title":"Fitting","note":"Left knee","private":true}"#,
        r#"{"type":"AppointmentRescheduled","slot":{"resource_ids":["00000000-0000-0000-0000-000000000001"],"during":{"start_at":"2026-11-23T09:00:00Z","end_at":"2026-11-23T10:00:00Z"},"buffer_before_minutes":0,"buffer_after_minutes":0},"by":"staff"}"#,
        r#"{"type":"AppointmentRescheduled","slot":{"resource_ids":["00000000-0000-0000-0000-000000000001"],"during":{"start_at":"2026-11-23T09:00:00Z","end_at":"2026-11-23T10:00:00Z"},"buffer_before_minutes":0,"buffer_after_minutes":0,"transparent":true},"by":"staff","with_calendar":true}"#,
    ] {
        let event: AppointmentEvent = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), stored);
    }
}

#[test]
fn a_new_title_is_as_titles_are_then_and_one_that_is_not_given_stays_as_it_was() {
    let facts = Facts { titles: Titles::Personal, ..facts() };
    let note = Some(Personal::new(Note::new("Left knee").unwrap()));
    let public = FreeTitle::from(Title::new("Fitting").unwrap());
    let personal = public.clone().given_where(Titles::Personal);
    let noted = Description { note: note.clone().into(), ..Description::default() };
    let said = |title: &FreeTitle| {
        AppointmentEvent::AppointmentDescribed(privately(title.clone(), note.clone()))
    };
    let there = || given::<Appointment>([booked(TEN), said(&public)]).knowing(&facts);
    there().when(C::DescribeAppointment(noted)).then(said(&public));
    let titled = C::DescribeAppointment(Description {
        title: public.clone().into(),
        ..Description::default()
    });
    assert!(Appointment::gives_title(&titled));
    there().when(titled).then(said(&personal));
}
