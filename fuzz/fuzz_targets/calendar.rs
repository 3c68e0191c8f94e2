//! Whatever the bytes: a calendar is read or refused, in bounded time and memory, and the same in whatever pieces it
//! comes.
//!
//! ```sh
//! cargo fuzz run calendar -- -max_total_time=1800 -timeout=10 -rss_limit_mb=1024
//! ```
//! Calendars in `fuzz/corpus/calendar` are where it begins; they are not committed.

#![no_main]

use chrono::NaiveDate;
use chrono_tz::Tz;
use daybook_ical::series::{Window, occurrences};
use daybook_ical::{Event, Index, Scanner, scan};
use libfuzzer_sys::fuzz_target;

fn in_pieces(file: &[u8]) -> Option<Index> {
    let mut scanner = Scanner::default();
    for piece in file.chunks(7) {
        scanner.push(piece).ok()?;
    }
    scanner.finish().ok()
}

fuzz_target!(|file: &[u8]| {
    let whole = scan(file).ok();
    let pieces = in_pieces(file);
    let places = |index: &Option<Index>| index.as_ref().map(|index| index.events.clone());
    assert_eq!(places(&whole), places(&pieces));
    let Some(index) = whole else { return };
    let mut events = Vec::new();
    for place in index.events.iter().take(50) {
        let calendar = usize::try_from(place.calendar).ok().and_then(|at| index.calendars.get(at));
        let zone = calendar.and_then(|calendar| calendar.time_zone.as_deref());
        let zones = index.zones.with_default(zone, Some(Tz::Europe__Berlin));
        let (Ok(start), Ok(end)) = (usize::try_from(place.start), usize::try_from(place.end)) else { continue };
        events.extend(Event::read(&file[start..end], place.line, &zones));
    }
    let first = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap_or_default();
    let Some(horizon) = NaiveDate::from_ymd_opt(2029, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0)) else { return };
    let window = Window { first, horizon: horizon.and_utc() };
    let _ = occurrences(&events.iter().collect::<Vec<_>>(), window);
});
