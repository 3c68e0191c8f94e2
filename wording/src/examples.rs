//! Made-up things to say, by which words are tried: the usual, the least, and what is awkward.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use daybook_domain::sending::Kind;

use crate::Said;

/// 2027-03-01T08:00:00Z, a Monday.
const START: i64 = 1_803_888_000;

/// The one that is shown.
#[must_use]
pub fn example(kind: Kind) -> Said<'static> {
    let start = DateTime::<Utc>::from_timestamp(START, 0).unwrap_or_default();
    Said {
        kind,
        client: "Ada Example",
        service: "Check-up",
        start,
        end: start + TimeDelta::minutes(30),
        zone: Tz::Europe__Oslo,
        location: Some("12 High Street, first floor"),
        until: (kind == Kind::Offer).then(|| start - TimeDelta::hours(20)),
    }
}

/// All of them: what a template cannot say of one of these, it could not say of a client either.
#[must_use]
pub fn examples(kind: Kind) -> [Said<'static>; 3] {
    let usual = example(kind);
    // Its client's name is not known any more, and it is nowhere in particular.
    let least = Said { client: "", location: None, zone: Tz::UTC, ..usual };
    let awkward = Said {
        client: "<b>\"O'Hara\" & Søn</b> {{ 1 }}",
        service: "{% if %} <script> & \"quotes\"",
        location: Some("https://meet.example/?a=1&b='2'"),
        // In another year by its clocks than by UTC.
        start: usual.start + TimeDelta::days(305) + TimeDelta::minutes(14 * 60 + 45),
        end: usual.start + TimeDelta::days(305) + TimeDelta::minutes(16 * 60),
        zone: Tz::Australia__Lord_Howe,
        ..usual
    };
    [usual, least, awkward]
}
