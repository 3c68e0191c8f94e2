//! What the events of a batch make of the rows, without a database.

use std::collections::{BTreeMap, BTreeSet};

use daybook_domain::NoticeId;
use daybook_domain::notice::{Notice, Told};
use daybook_domain::sending::Status;
use daybook_domain::waiting::{WaitingEvent, WaitingPlaceOffered};
use daybook_store::{AnyEvent, RecordedEvent};
use uuid::Uuid;

use super::row::NoticeRow;
use crate::ApplyError;
use crate::change::{AppointmentChange, AppointmentChanges, AppointmentStream};

/// The rows that a batch is about, if they are there.
pub(super) fn touched(changes: &AppointmentChanges<'_>, events: &[RecordedEvent]) -> Vec<Uuid> {
    let of_others = events.iter().filter_map(|recorded| match &recorded.event {
        AnyEvent::Notice(id, _) => Some(*id),
        event => offered(event),
    });
    let appointments = changes.streams().filter_map(|stream| stream.new.last());
    let all = appointments.map(|last| NoticeId::of(last.id)).chain(of_others);
    all.map(NoticeId::uuid).collect::<BTreeSet<_>>().into_iter().collect()
}

/// What is offered to a client who waits. It is held before that.
fn offered(event: &AnyEvent) -> Option<NoticeId> {
    match event {
        AnyEvent::Waiting(_, WaitingEvent::WaitingPlaceOffered(WaitingPlaceOffered { offer })) => {
            Some(NoticeId::of(offer.appointment_id))
        }
        _ => None,
    }
}

pub(super) fn rows(
    known: Vec<NoticeRow>,
    changes: &AppointmentChanges<'_>,
    earlier: &[RecordedEvent],
    batch: &[RecordedEvent],
) -> Result<Vec<NoticeRow>, ApplyError> {
    let mut rows: BTreeMap<NoticeId, NoticeRow> =
        known.into_iter().map(|row| (row.notice_id, row)).collect();
    for stream in changes.streams() {
        let Some(row) = of_stream(stream) else { continue };
        match rows.get_mut(&row.notice_id) {
            Some(before) => {
                let (offered, ledger) = (before.offered, std::mem::take(&mut before.ledger));
                *before = NoticeRow { offered, ledger, ..row };
            }
            None => {
                rows.insert(row.notice_id, row);
            }
        }
    }
    for id in batch.iter().filter_map(|recorded| offered(&recorded.event)) {
        if let Some(row) = rows.get_mut(&id) {
            row.offered = true;
        }
    }
    for (id, (ledger, last)) in ledgers(earlier, batch) {
        let Some(row) = rows.get_mut(&id) else {
            let reason = format!("notice {id} is of no appointment whose client is told of it");
            return Err(ApplyError::Event { position: last.position, reason });
        };
        row.ledger = ledger;
    }
    Ok(rows.into_values().map(NoticeRow::worked_out).collect())
}

/// What an appointment is after the batch; `None`: nobody is told of it.
fn of_stream(stream: &AppointmentStream<'_>) -> Option<NoticeRow> {
    let last = stream.new.last()?;
    let details = last.after.details().filter(|details| details.notices)?;
    let (mut sequence, mut present, mut changed_at) = (None, None, last.created_at);
    for AppointmentChange { after, recorded_at, .. } in stream.earlier.iter().chain(&stream.new) {
        // Once the client has come, or has not, nothing is told any more.
        let told = Told::of(after);
        if let Some(told) = &told {
            sequence = Told::revision(present.as_ref(), sequence, told);
        }
        if told != present {
            (present, changed_at) = (told, *recorded_at);
        }
    }
    Some(NoticeRow {
        notice_id: NoticeId::of(last.id),
        appointment_id: last.id,
        service_id: details.service_id,
        client_id: details.client_id,
        present,
        changed_at,
        appointment_version: last.sequence,
        sequence,
        offered: false,
        ledger: Notice::default(),
        status: Status::Planned,
        next_at: None,
    })
}

/// What the notices are that a batch is about, and the last event of each.
fn ledgers<'e>(
    earlier: &'e [RecordedEvent],
    batch: &'e [RecordedEvent],
) -> BTreeMap<NoticeId, (Notice, &'e RecordedEvent)> {
    let mut ledgers: BTreeMap<NoticeId, (Notice, &RecordedEvent)> = BTreeMap::new();
    for recorded in earlier.iter().chain(batch) {
        let AnyEvent::Notice(id, event) = &recorded.event else { continue };
        let (ledger, last) = ledgers.entry(*id).or_insert((Notice::default(), recorded));
        ledger.evolve(event.clone());
        *last = recorded;
    }
    ledgers
}
