//! What all events of a UID come to together, in files of any size.

use super::*;

fn event(uid: &str, lines: &str) -> String {
    a_vevent(&format!("UID:{uid}\n{lines}"))
}

const WEEKLY: &str = "DTSTART;TZID=Europe/Berlin:20270308T090000\nDURATION:PT1H\n\
                      RRULE:FREQ=WEEKLY;COUNT=3\nSUMMARY:Visit\nSEQUENCE:2";

fn entries(group: &Group) -> Vec<&Entry> {
    group.entries.iter().map(|entry| entry.as_ref().expect("no refusal")).collect()
}

#[test]
fn events_of_one_uid_come_together_in_the_order_of_the_file() {
    let once = "DTSTART:20270301T090000Z\nDURATION:PT1H";
    let moved = "RECURRENCE-ID;TZID=Europe/Berlin:20270315T090000\nSEQUENCE:3\n\
                 DTSTART;TZID=Europe/Berlin:20270316T140000\nDURATION:PT1H\nSUMMARY:Moved";
    let file = a_calendar(
        &(event("b", once) + &event("a", WEEKLY) + &event("c", once) + &event("a", moved)),
    );
    let groups = groups(&file, &reading());
    let uids: Vec<_> = groups.iter().map(|group| group.all_of.as_deref()).collect();
    assert_eq!(uids, [Some("b"), Some("a"), Some("c")]);
    let series = entries(&groups[1]);
    let shown: Vec<_> = series.iter().map(|entry| (entry.shown.as_str(), entry.line)).collect();
    assert_eq!(shown, [("Visit", 9), ("Moved", 22), ("Visit", 9)]);
    let sequences: Vec<_> = series.iter().map(|entry| entry.version.sequence).collect();
    assert_eq!(sequences, [2, 3, 2]);
    assert_eq!(series[0].occurrence_text(), "1804492800");
    assert_eq!((groups[1].events, groups[1].goes_on), (2, false));
}

#[test]
fn what_is_told_of_a_part_of_a_series_says_nothing_of_the_rest() {
    let moved = "RECURRENCE-ID:20270315T080000Z\nDTSTART:20270316T140000Z\nDURATION:PT1H";
    let part = groups(&a_calendar(&event("a", moved)), &reading()).remove(0);
    assert_eq!((part.all_of.as_deref(), part.entries.len()), (None, 1));
    let faulty = event("a", WEEKLY) + &event("a", "RECURRENCE-ID:20270315T080000Z\nDTSTART:never");
    let faulty = groups(&a_calendar(&faulty), &reading()).remove(0);
    assert_eq!((faulty.all_of.as_deref(), faulty.entries.len()), (None, 4));
    let cancelled = a_calendar(&event("a", WEEKLY)).replace("VERSION", "METHOD:CANCEL\r\nVERSION");
    let cancelled = groups(&cancelled, &reading()).remove(0);
    assert_eq!(cancelled.all_of, None);
    assert!(entries(&cancelled).iter().all(|entry| entry.wanted == Wanted::Cancelled));
}

#[test]
fn one_fault_spoils_one_event() {
    let file = event("a", "DTSTART:never")
        + &event("b", "DTSTART:20270301T090000Z")
        + &event("c", "DTSTART:20270101T000000Z\nRRULE:FREQ=MINUTELY")
        + &event("d", "DTSTART:20270301T090000Z\nSUMMARY:\u{7}Lunch\nX-1:\u{1}");
    let all = all_of(&a_calendar(&file));
    let taken: Vec<bool> = all.iter().map(Result::is_ok).collect();
    assert_eq!(taken, [false, true, false, true]);
}

#[test]
fn an_endless_series_ends_at_the_horizon() {
    let file = a_calendar(&event("a", "DTSTART;VALUE=DATE:20270101\nRRULE:FREQ=YEARLY"));
    let group = groups(&file, &reading()).remove(0);
    assert_eq!((group.entries.len(), group.goes_on), (2, true));
    let later = Reading { horizon: "2031-01-01T00:00:00Z".parse().unwrap(), ..reading() };
    let group = groups(&file, &later).remove(0);
    assert_eq!(group.entries.len(), 4);
}

#[test]
fn a_file_that_is_cut_off_is_an_error_before_anything_is_read() {
    let file = a_calendar(&event("a", WEEKLY));
    let cut = &file[..file.len() - 20];
    let error = CalendarFile::open(Cursor::new(cut.as_bytes())).expect_err("it is cut off");
    assert!(matches!(error, ReadError::File(_)), "{error:?}");
}

#[test]
fn of_one_uid_a_bounded_number_of_events_is_read() {
    let changed = |n: usize| {
        let at = format!("20270101T{:02}{:02}{:02}Z", n / 3600, n / 60 % 60, n % 60);
        event("a", &format!("RECURRENCE-ID:{at}\nDTSTART:{at}\nDURATION:PT1S"))
    };
    let file: String = (0..10_001).map(changed).collect();
    let group = groups(&a_calendar(&file), &reading()).remove(0);
    assert_eq!(group.entries.len(), 10_001);
    assert!(group.entries.iter().all(Result::is_err));
}

#[test]
fn the_work_for_a_file_is_bounded_and_costs_only_what_recurs() {
    let once = event("b", "DTSTART:20270301T090000Z");
    let text = a_calendar(&(event("a", WEEKLY) + &once));
    let mut file = CalendarFile::open(Cursor::new(text.as_bytes())).unwrap();
    file.next_group(&reading()).unwrap();
    assert!((10..1_000).contains(&file.steps), "{}", file.steps);
    let mut file = CalendarFile::open(Cursor::new(text.as_bytes())).unwrap();
    file.steps = u64::MAX;
    let series = file.next_group(&reading()).unwrap().unwrap();
    let reason = series.entries[0].as_ref().unwrap_err().reason.clone();
    assert_eq!((series.entries.len(), reason), (1, RefusalReason::TooMuchWork));
    assert_eq!(series.all_of, None);
    assert_eq!(entries(&file.next_group(&reading()).unwrap().unwrap()).len(), 1);
}

#[test]
fn what_is_held_of_one_uid_is_bounded() {
    let text = "x".repeat(500_000);
    let changed = |n: u32| {
        let at = format!("20270101T00{:02}{:02}Z", n / 60, n % 60);
        event("a", &format!("RECURRENCE-ID:{at}\nDTSTART:{at}\nDESCRIPTION:{text}"))
    };
    let file: String = (0..70).map(changed).collect();
    let group = groups(&a_calendar(&file), &reading()).remove(0);
    let too_much = |entry: &&Result<Entry, Refusal>| {
        matches!(entry, Err(Refusal { reason: RefusalReason::TooMuchOfUid { .. }, .. }))
    };
    assert_eq!((group.entries.len(), group.entries.iter().filter(too_much).count()), (70, 2));
}
