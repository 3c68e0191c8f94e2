//! Appointments that are there before: written by the log itself, many in one submission.

use std::ops::Range;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use cqrs_es::DomainEvent as _;
use daybook_domain::appointment::{
    Agreed, Appointment, AppointmentEvent, Details, Seats, Slot as Where,
};
use daybook_domain::claim::Claims as _;
use daybook_domain::service::ServiceTerms;
use daybook_domain::time::{Duration, Interval};
use daybook_store::log::{Append, Decision, NewEvent, OnConflict, StreamId, Submission, Verdict};
use futures::{StreamExt as _, TryStreamExt as _};

use crate::calendar::{Calendar, SLOT_MINUTES, Slot};
use crate::catalogue::{self, Size};
use crate::daybook::{Daybook, Projections};
use crate::output;

/// Appointments in one submission.
const CHUNK: u64 = 2_000;

/// Submissions at once: one is being written while the next is made.
const AT_ONCE: usize = 2;

/// The metadata of an event that was seeded.
const METADATA: &str =
    r#"{"actor":"bench","correlation_id":"01970000-0000-7000-8000-000000000001"}"#;

/// Books the appointments of these numbers ([`catalogue::appointment`]), each in a slot of its own,
/// and waits until they are found.
pub(crate) async fn seed(
    daybook: &Daybook,
    projections: &Projections,
    numbers: Range<u64>,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let count = numbers.end - numbers.start;
    append_all(daybook, numbers).await?;
    let booked = begun.elapsed().as_secs_f64();
    projections.caught_up(daybook).await?;
    let found = begun.elapsed().as_secs_f64();
    if count > 0 {
        let said = format!("booked in {booked:.1} s, found after {found:.1} s");
        output::note(&format!("{count} appointments: {said}"));
    }
    Ok(())
}

/// The same, and nobody reads them.
pub(crate) async fn append_all(daybook: &Daybook, numbers: Range<u64>) -> anyhow::Result<()> {
    let terms = catalogue::all_terms()?;
    let chunks = (numbers.start..numbers.end).step_by(usize::try_from(CHUNK)?);
    let chunks = chunks.map(|first| first..(first + CHUNK).min(numbers.end));
    futures::stream::iter(chunks)
        .map(|chunk| append(daybook, chunk, &terms))
        .buffered(AT_ONCE)
        .try_collect::<()>()
        .await
}

async fn append(
    daybook: &Daybook,
    numbers: Range<u64>,
    terms: &[ServiceTerms],
) -> anyhow::Result<()> {
    let (mut appends, mut claims) = (Vec::new(), Vec::new());
    for number in numbers {
        let id = catalogue::appointment(number);
        let event = booked(daybook.calendar.take(), daybook.size, terms)?;
        claims.extend(event.claims_after().map(|claims| (id, claims)));
        let stream = StreamId::of::<Appointment>(&daybook.tenant, id.uuid());
        appends.push(Append { stream, after: 0, events: vec![stored(&event)?] });
    }
    let verdict = daybook
        .log()
        .append(Submission {
            tenant: daybook.tenant.clone(),
            key: None,
            decided_at: daybook.engine.clock().now(),
            decision: Decision::Accept {
                read_set: Vec::new(),
                appends,
                claims,
                on_conflict: OnConflict::Refuse,
            },
        })
        .await?;
    ensure!(matches!(verdict, Verdict::Appended(_)), "while seeding: {verdict:?}");
    Ok(())
}

pub(crate) fn stored(event: &AppointmentEvent) -> anyhow::Result<NewEvent> {
    Ok(NewEvent {
        event_type: event.event_type(),
        event_version: event.event_version(),
        payload: serde_json::to_string(event)?,
        metadata: METADATA.to_owned(),
    })
}

/// What booking a slot makes happen.
fn booked(slot: Slot, size: Size, terms: &[ServiceTerms]) -> anyhow::Result<AppointmentEvent> {
    let booking = catalogue::booking(slot, size)?;
    let terms = &terms[usize::try_from(catalogue::service_of(slot))?];
    Ok(AppointmentEvent::AppointmentBooked(Details {
        service_id: booking.service_id,
        client_id: booking.client_id,
        slot: Where {
            resource_ids: booking.resource_ids.context("a booking without resources")?,
            during: Interval::lasting(slot.start, Duration::from_minutes(SLOT_MINUTES)?),
            buffer_before: terms.buffer_before,
            buffer_after: terms.buffer_after,
            seats: Seats::default(),
            quota_slots: Vec::new(),
            session_id: None,
            transparent: false,
        },
        title: booking.title.unwrap_or_else(|| (&terms.name).into()),
        category: terms.category.clone(),
        tags: terms.tags.clone(),
        note: None,
        location: None,
        reference: None,
        metadata: daybook_domain::Metadata::default(),
        private: false,
        imported: false,
        notices: false,
        agreed: Agreed::default(),
        overridden: None,
        series: None,
    }))
}

/// The event of a booking like any other.
pub(crate) fn an_event(terms: &[ServiceTerms]) -> anyhow::Result<AppointmentEvent> {
    let size = Size::new(true, 0);
    booked(Calendar::new(size).take(), size, terms)
}
