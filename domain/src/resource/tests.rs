//! What a resource does and refuses, and what of it is in the log.

use uuid::Uuid;

use super::*;
use crate::testing::{Given, given, profile, tags};
use crate::time::{Holidays, HoursException, HoursExceptions, WeeklyHours};

fn registered() -> ResourceEvent {
    ResourceEvent::ResourceRegistered(ResourceRegistered { profile: profile() })
}

fn retired() -> ResourceEvent {
    ResourceEvent::ResourceRetired(ResourceRetired {})
}

fn a_registered_resource() -> Given<Resource> {
    given([registered()])
}

fn time_off(n: u128) -> HoursException {
    let id = Uuid::from_u128(n);
    serde_json::from_str(&format!(
        r#"{{"id":"{id}","kind":"time-off","days":{{"first":"2027-07-05","last":"2027-07-09"}}}}"#
    ))
    .unwrap()
}

fn holidays(count: usize) -> Holidays {
    let holidays = (0..count).map(|n| crate::time::Holiday {
        id: crate::HolidayId::of(&format!("{count}-{n}")),
        date: "2027-05-17".parse().unwrap(),
        name: crate::Name::new("A holiday").unwrap(),
    });
    holidays.collect::<Vec<_>>().try_into().unwrap()
}

#[test]
fn new_hours_leave_the_rest_as_it_was() {
    let added = ResourceExceptionAdded { exception: time_off(1) };
    let weekly_hours = WeeklyHours::default();
    let changed = ResourceHoursChanged { weekly_hours: weekly_hours.clone() };
    let resource = given::<Resource>([registered(), ResourceEvent::ResourceExceptionAdded(added)])
        .when(ResourceCommand::ChangeResourceHours(weekly_hours))
        .then(ResourceEvent::ResourceHoursChanged(changed));
    let mut expected = profile();
    expected.opening_hours.weekly_hours = WeeklyHours::default();
    expected.opening_hours.exceptions = vec![time_off(1)].try_into().unwrap();
    assert_eq!(resource.state(), Resource::Active(expected));
}

#[test]
fn a_resource_gets_more_places_and_keeps_the_rest() {
    let capacity = Capacity::try_from(5).unwrap();
    let resource = a_registered_resource()
        .when(ResourceCommand::ChangeResourceCapacity(capacity))
        .then(ResourceEvent::ResourceCapacityChanged(ResourceCapacityChanged { capacity }));
    assert_eq!(resource.state(), Resource::Active(ResourceProfile { capacity, ..profile() }));
}

#[test]
fn what_is_said_of_a_resource_is_changed_and_the_rest_stays() {
    let read = |patch: &str| serde_json::from_str::<ResourcePatch>(patch).unwrap().commands();
    let tags = tags(&["x-ray"]);
    let ResourceProfile { name, reference, metadata, .. } = profile();
    let described = ResourceDescribed { name, tags: tags.clone(), reference, metadata };
    let [command] = read(r#"{"tags": ["x-ray"]}"#).try_into().unwrap();
    let resource =
        a_registered_resource().when(command).then(ResourceEvent::ResourceDescribed(described));
    assert_eq!(resource.state(), Resource::Active(ResourceProfile { tags, ..profile() }));
    let all = read(r#"{"name": "Room 2", "weekly_hours": [], "capacity": null}"#);
    let name = crate::Name::new("Room 2").unwrap();
    let description = ResourceDescription { name: name.into(), ..ResourceDescription::default() };
    let describe = ResourceCommand::DescribeResource(description);
    let hours = ResourceCommand::ChangeResourceHours(WeeklyHours::default());
    assert_eq!(all, [describe, hours, ResourceCommand::ChangeResourceCapacity(Capacity::ONE)]);
}

/// What the log has of before there were places.
#[test]
fn a_resource_of_before_there_were_places_has_one_and_is_written_as_it_was() {
    let stored = r#"{"type":"ResourceRegistered","name":"Room 1","kind":"room","tags":[],"time_zone":"Europe/Oslo","weekly_hours":[]}"#;
    let event: ResourceEvent = serde_json::from_str(stored).unwrap();
    let mut resource = Resource::default();
    resource.evolve(event.clone());
    assert_eq!(resource.profile().unwrap().capacity, Capacity::ONE);
    assert_eq!(serde_json::to_string(&event).unwrap(), stored);
}

#[test]
fn a_retired_resource_stays_retired() {
    for command in [
        ResourceCommand::RetireResource,
        ResourceCommand::ChangeResourceHours(WeeklyHours::default()),
        ResourceCommand::AddResourceException(time_off(1)),
        ResourceCommand::RemoveResourceException(time_off(1).id),
        ResourceCommand::ChangeResourceHolidays(holidays(1)),
        ResourceCommand::AddResourceHolidays(holidays(1)),
    ] {
        given::<Resource>([registered(), retired()])
            .when(command)
            .then_refused(ResourceRefusal::ResourceRetired);
    }
}

#[test]
fn a_resource_is_registered_once() {
    a_registered_resource()
        .when(ResourceCommand::RegisterResource(profile()))
        .then_refused(ResourceRefusal::ResourceExists);
}

#[test]
fn an_exception_is_added_once_and_removed_once() {
    let (id, add) = (time_off(1).id, ResourceCommand::AddResourceException(time_off(1)));
    let added = a_registered_resource().when(add.clone()).and();
    let exists = ResourceRefusal::ExceptionExists { exception_id: id };
    added.clone().when(add).then_refused(exists);
    let removed = added.when(ResourceCommand::RemoveResourceException(id)).and();
    assert_eq!(removed.state(), a_registered_resource().state());
    removed
        .when(ResourceCommand::RemoveResourceException(id))
        .then_refused(ResourceRefusal::ExceptionNotFound { exception_id: id });
}

#[test]
fn a_resource_has_a_bounded_number_of_exceptions() {
    let mut full = profile();
    let all: Vec<_> = (0..HoursExceptions::MAX as u128).map(time_off).collect();
    full.opening_hours.exceptions = all.try_into().unwrap();
    let registered = ResourceEvent::ResourceRegistered(ResourceRegistered { profile: full });
    given::<Resource>([registered])
        .when(ResourceCommand::AddResourceException(time_off(1 << 64)))
        .then_refused(ResourceRefusal::TooManyExceptions { max: HoursExceptions::MAX });
}

#[test]
fn holidays_are_replaced_or_added_to() {
    let resource = a_registered_resource()
        .when(ResourceCommand::ChangeResourceHolidays(holidays(3)))
        .and()
        .when(ResourceCommand::ChangeResourceHolidays(holidays(2)))
        .and()
        .when(ResourceCommand::AddResourceHolidays(holidays(4)))
        .and()
        .when(ResourceCommand::AddResourceHolidays(holidays(4)))
        .and();
    assert_eq!(resource.state().profile().unwrap().opening_hours.holidays.len(), 6);
    resource
        .when(ResourceCommand::AddResourceHolidays(holidays(Holidays::MAX)))
        .then_refused(ResourceRefusal::TooManyHolidays { max: Holidays::MAX });
}

/// An event of each type and form, as it lies in the log: they must be read for ever, and what is
/// written today must look the same.
#[test]
fn stored_events_are_read_and_written_as_they_are() {
    for stored in [
        r#"{"type":"ResourceRegistered","name":"Room 1","kind":"room","tags":[],"time_zone":"Europe/Oslo","weekly_hours":[{"days":["mon"],"from":"09:00","to":"17:00"}]}"#,
        r#"{"type":"ResourceHoursChanged","weekly_hours":[{"days":["mon"],"from":"09:00","to":"24:00"}]}"#,
        r#"{"type":"ResourceHoursChanged","weekly_hours":[{"days":["fri","sat"],"from":"22:00","to":"06:00","valid_from":"2027-09-01","valid_until":"2028-06-30"}]}"#,
        r#"{"type":"ResourceExceptionAdded","exception":{"id":"00000000-0000-0000-0000-000000000001","kind":"time-off","days":{"first":"2027-07-05","last":"2027-07-09"}}}"#,
        r#"{"type":"ResourceExceptionAdded","exception":{"id":"00000000-0000-0000-0000-000000000001","kind":"extra-hours","hours":{"from":"2027-07-05T18:00","to":"2027-07-05T20:30"},"reason":"Open day"}}"#,
        r#"{"type":"ResourceExceptionRemoved","exception_id":"00000000-0000-0000-0000-000000000001"}"#,
        r#"{"type":"ResourceHolidaysChanged","holidays":[{"id":"00000000-0000-0000-0000-000000000002","date":"2027-05-17","name":"Constitution Day"}]}"#,
        r#"{"type":"ResourceRetired"}"#,
    ] {
        let event: ResourceEvent = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), stored);
    }
}
