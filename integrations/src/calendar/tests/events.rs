//! Events that can be booked: their texts and categories.

use super::*;

#[test]
fn an_event_has_the_texts_that_its_maker_wrote() {
    let event = booked(&an_event_with(
        "SUMMARY:Rack 'em\\, stack 'em (Gene\n ral)\n\
         LOCATION:Hall F&G\\n1 High Street\n\
         DESCRIPTION:First line\\nsecond\\; line \\\\o/\n",
    ));
    assert_eq!(event.uid, "a@example.org");
    assert_eq!(event.summary.as_deref(), Some("Rack 'em, stack 'em (General)"));
    assert_eq!(event.title(), Some("Rack 'em, stack 'em"));
    assert_eq!(event.category.as_deref(), Some("General"));
    assert_eq!(event.location.as_deref(), Some("Hall F&G 1 High Street"));
    assert_eq!(event.description.as_deref(), Some("First line\nsecond; line \\o/"));
    assert_eq!((event.line, event.recurrence_id), (4, None));
}

#[test]
fn the_first_of_categories_is_the_category_and_the_others_are_tags() {
    let event = booked(&an_event_with(
        "SUMMARY:Building teams (Workshop)\nCATEGORIES:Talk\\, long, Web ,Talk\\, long\nCATEGORIES:Ruby",
    ));
    assert_eq!(event.category.as_deref(), Some("Talk, long"));
    assert_eq!(event.tags, ["Web", "Ruby"]);
    assert_eq!(event.title(), Some("Building teams (Workshop)"));
}

#[test]
fn an_event_may_have_no_text_at_all() {
    let event = booked(&an_event_with("SUMMARY:\nCATEGORIES:\nLOCATION: "));
    assert_eq!((event.summary, event.category, event.location), (None, None, None));
}

#[test]
fn an_alarm_inside_an_event_is_not_part_of_it() {
    let event = booked(&an_event_with(
        "SUMMARY:Lunch\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nDURATION:PT5M\n\
         DESCRIPTION:Soon\nSUMMARY:Reminder\nEND:VALARM",
    ));
    assert_eq!(event.title(), Some("Lunch"));
    assert_eq!(event.description, None);
}

#[test]
fn names_of_properties_are_read_in_any_case() {
    let event = booked(&an_event_with(
        "Summary:Eggs\\, ham\nx-note:one\nATTENDEE;CN=\"A:B\":mailto:b@example.org",
    ));
    assert_eq!(event.title(), Some("Eggs, ham"));
}

#[test]
fn todos_and_journals_are_no_events() {
    let file = a_calendar("BEGIN:VTODO\nUID:t\nSUMMARY:Sweep\nEND:VTODO");
    assert_eq!(all_of(&file), []);
}

#[test]
fn a_changed_instance_of_a_series_is_booked_by_itself() {
    let event = booked(&an_event_with("RECURRENCE-ID:20260302T090000Z"));
    let instance = event.recurrence_id.expect("an instance");
    assert_eq!(instance.to_rfc3339(), "2026-03-02T09:00:00+00:00");
}
