//! A real conference's programme: 113 events over three days in Phoenix.

use std::{collections::BTreeSet, path::Path};

use chrono_tz::America::Phoenix;

use super::*;

fn sample() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/railsconf-2017.ics");
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("the sample {} is needed: {error}", path.display()))
}

fn programme() -> Vec<CalendarEvent> {
    let events = read(&sample(), None).expect("the sample is sound").events;
    events.into_iter().collect::<Result<_, _>>().expect("every event can be booked")
}

#[test]
fn every_event_of_the_programme_can_be_booked() {
    let events = programme();
    assert_eq!(events.len(), 113);
    assert!(events.iter().all(|event| event.time_zone == Phoenix));
    assert!(events.iter().all(|event| event.summary.is_some() && event.location.is_some()));
}

#[test]
fn the_programme_has_its_categories_and_places() {
    let events = programme();
    let of = |name| events.iter().filter(|e| e.category.as_deref() == Some(name)).count();
    assert_eq!((of("Workshop"), of("General"), of("Developer Happiness")), (14, 35, 4));
    let categories: BTreeSet<_> = events.iter().filter_map(|e| e.category.as_deref()).collect();
    assert_eq!(categories.len(), 15);
    let places: BTreeSet<_> = events.iter().filter_map(|e| e.location.as_deref()).collect();
    assert_eq!(places.len(), 14);
    assert!(places.contains("The Duce, 525 South Central Ave Phoenix, AZ 85004"));
}

#[test]
fn an_event_of_the_programme_has_its_text_and_its_times() {
    let events = programme();
    let event = events
        .iter()
        .find(|event| event.uid == "5c65c7f2-787f-4f5b-b854-c4bac8286ca5")
        .expect("the opening");
    assert_eq!(event.line, 5);
    assert_eq!(event.category.as_deref(), Some("Main Events"));
    assert!(event.title().is_some_and(|title| title.starts_with("Welcome & Opening")));
    assert!(event.title().is_some_and(|title| !title.ends_with(')')));
    assert_eq!(event.location.as_deref(), Some("South Ballroom"));
    assert_eq!(event.start.to_rfc3339(), "2017-04-25T16:30:00+00:00");
    assert_eq!(event.end.to_rfc3339(), "2017-04-25T17:30:00+00:00");
}

#[test]
fn no_part_of_the_programme_passes_for_the_whole() {
    let bytes = sample();
    for cut in (0..bytes.len() - "\r\n".len()).step_by(211) {
        assert!(read(&bytes[..cut], None).is_err(), "cut at byte {cut}");
    }
}
