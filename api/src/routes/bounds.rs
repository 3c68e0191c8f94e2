//! All bounds of requests in one table, for `docs/limits.md`: what stands there is what the program holds to.

use daybook_domain::ResourceId;
use daybook_domain::availability::Effort;
use daybook_domain::rights::Few;
use daybook_domain::series::MAX_OCCURRENCES;
use daybook_projections::Limit;
use daybook_projections::agenda::Agenda;
use daybook_projections::conflicts::Conflicts;
use daybook_projections::history::History;
use daybook_projections::utilisation::Utilisation;
use daybook_store::engine::MAX_BATCH;
use daybook_store::feed::Feed;
use daybook_store::{calendar_feeds, issuers, keys, templates, webhooks};

use crate::imports::MAX_IMPORT_BYTES;

use super::calendars::events::MAX_EVENTS;
use super::{appointments, availability, dav, events, expanding, resources, utilisation};
use crate::http::{body, head, heavy, in_flight, limits, query};

const DOCUMENT: &str = include_str!("../../../docs/limits.md");
const BEGIN: &str = "<!-- begin: limits -->\n";
const END: &str = "<!-- end: limits -->";

/// What is bounded, by how much, and what a request beyond it is told.
fn bounds() -> Vec<(&'static str, u64, &'static str)> {
    let timeout = limits::REQUEST_TIMEOUT.as_secs();
    vec![
        ("requests under way", in_flight::MAX_REQUESTS_IN_FLIGHT as u64, "overloaded"),
        ("of these, of one tenant", in_flight::MAX_IN_FLIGHT_OF_ONE_TENANT as u64, "overloaded"),
        ("seconds until an answer begins", timeout, "unavailable"),
        ("streams and exports", events::MAX_STREAMS as u64, "overloaded"),
        ("of these, of one tenant", events::MAX_STREAMS_OF_ONE_TENANT as u64, "overloaded"),
        ("large searches and templates to try that wait", heavy::MAX_WAITING as u64, "overloaded"),
        ("of these, of one tenant", heavy::MAX_WAITING_OF_ONE_TENANT as u64, "overloaded"),
        ("keys of a tenant", keys::MAX_KEYS.unsigned_abs(), "too-many-keys"),
        ("resources of a key's limits", Few::<ResourceId>::MAX as u64, "invalid-body"),
        ("issuers of a tenant", issuers::MAX_ISSUERS.unsigned_abs(), "too-many-issuers"),
        ("grants of an issuer", issuers::MAX_GRANTS as u64, "invalid-body"),
        ("webhooks of a tenant", webhooks::MAX_WEBHOOKS.unsigned_abs(), "too-many-webhooks"),
        ("event types of a webhook, and categories", webhooks::MAX_WANTED as u64, "invalid-body"),
        (
            "calendar feeds of a tenant",
            calendar_feeds::MAX_CALENDAR_FEEDS.unsigned_abs(),
            "too-many-calendar-feeds",
        ),
        ("templates of a tenant", templates::MAX_TEMPLATES.unsigned_abs(), "too-many-templates"),
        (
            "bytes of a template, all parts together",
            daybook_wording::MAX_TEMPLATE_BYTES as u64,
            "faulty-template",
        ),
        (
            "bytes of what a template writes, all parts together",
            daybook_wording::MAX_OUTPUT_BYTES as u64,
            "faulty-template",
        ),
        ("events of a calendar feed", MAX_EVENTS as u64, "later `VEVENT`s are left out"),
        ("elements of what a calendar program asks", dav::MAX_ELEMENTS as u64, "`invalid-xml`"),
        (
            "events of the log that it is told of at once",
            dav::MAX_EVENTS_READ as u64,
            "`507`, and a token",
        ),
        ("bytes of an access token", issuers::MAX_TOKEN_BYTES as u64, "invalid-token"),
        ("bytes of a body", body::MAX_BODY_BYTES as u64, "body-too-large"),
        ("bytes of the body of a batch", appointments::MAX_BATCH_BYTES as u64, "body-too-large"),
        ("bytes of a calendar that is imported", MAX_IMPORT_BYTES as u64, "body-too-large"),
        ("bookings of a batch", MAX_BATCH as u64, "invalid-body"),
        ("occurrences of a series", MAX_OCCURRENCES as u64, "too-many-occurrences"),
        ("bytes of a path with its query", head::MAX_URI_BYTES as u64, "uri-too-long"),
        ("parameters of a query", query::MAX_PARAMETERS as u64, "invalid-query"),
        ("values of a filter", query::Several::<()>::MAX as u64, "invalid-query"),
        ("bytes of a parameter", query::Pairs::MAX_VALUE_BYTES as u64, "invalid-query"),
        ("items of a page of a list", u64::from(Limit::MAX), "invalid-query"),
        ("days of a search for free time", availability::MAX_DAYS.unsigned_abs(), "invalid-range"),
        ("its resources", availability::MAX_RESOURCES as u64, "too-broad"),
        ("bookings of these in that time", availability::MAX_CLAIMS as u64, "too-broad"),
        ("the same, with `as_of`", History::MAX_CLAIMS as u64, "too-broad"),
        ("looks that it takes", Effort::OF_A_SEARCH, "too-broad"),
        ("starts of a list", availability::MAX_LIMIT as u64, "invalid-query"),
        ("starts of all lists of an answer", availability::MAX_STARTS as u64, "too-broad"),
        ("days of opening hours", resources::MAX_DAYS.unsigned_abs(), "invalid-range"),
        ("days of utilisation", utilisation::MAX_DAYS.unsigned_abs(), "invalid-range"),
        ("bookings that figures are added up of", u64::from(Utilisation::MAX_ROWS), "too-broad"),
        ("the same, with `as_of`", u64::from(Utilisation::MAX_PAST_BOOKINGS), "too-broad"),
        ("resources of these", u64::from(Utilisation::MAX_PAST_RESOURCES), "too-broad"),
        ("what `expand` shows", expanding::MAX_EXPANDED as u64, "too-broad"),
        ("appointments of an agenda", Agenda::MAX_APPOINTMENTS as u64, "`more` is true"),
        ("appointments that a dry run tells", Conflicts::MAX_BROKEN as u64, "`more` is true"),
        ("events of a page of the log", events::MAX_LIMIT as u64, "invalid-query"),
        (
            "bytes of payloads after which such a page ends",
            Feed::MAX_BYTES as u64,
            "`read_to` is less than `head`",
        ),
        (
            "positions of the log that it looks at",
            Feed::STRETCH * events::MAX_READS as u64,
            "`read_to` is less than `head`",
        ),
        ("events of an appointment at once", u64::from(appointments::MAX_EVENTS), "`next_after`"),
    ]
}

fn table() -> String {
    let mut table = "\n| what | at most | beyond it |\n|---|---:|---|\n".to_owned();
    for (what, most, beyond) in bounds() {
        let beyond = if beyond.contains('`') { beyond.to_owned() } else { format!("`{beyond}`") };
        table.extend(["| ", what, " | ", &grouped(most), " | ", &beyond, " |\n"]);
    }
    table + "\n"
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

#[test]
fn the_document_has_the_bounds_of_the_code() {
    let written = DOCUMENT.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END));
    let (written, _) = written.unwrap();
    let table = table();
    assert!(written == table, "between its marks, docs/limits.md must have:\n{table}");
}

#[test]
fn each_refusal_is_a_type_of_problem_in_the_openapi_document() {
    let document = crate::document().unwrap();
    for (what, _, beyond) in bounds() {
        let named = document.contains(&format!("`{beyond}`"));
        assert!(beyond.contains('`') || named, "{what}: {beyond} is in no description");
    }
}
