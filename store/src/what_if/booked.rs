//! How much of each resource is booked, by the domain's own account of it.

use std::collections::BTreeMap;

use cqrs_es::Aggregate as _;
use daybook_domain::appointment::Appointment;
use daybook_domain::session::Session;
use daybook_domain::{ResourceId, TenantId};

use super::WhatIfError;
use crate::{AnyEvent, Log, Position, RecordedEvent, Streams};

/// About how many events are in memory at once.
const PART_EVENTS: usize = 5_000;

/// The minutes that are booked of each resource, as of a position of the log. They are read stream by
/// stream, so that one aggregate is in memory at a time.
pub(super) async fn booked_minutes(
    log: &Log,
    tenant: &TenantId,
    upto: Position,
) -> Result<BTreeMap<ResourceId, i64>, WhatIfError> {
    let mut minutes = BTreeMap::new();
    for kind in [Appointment::TYPE, Session::TYPE] {
        let streams = Streams { tenant: tenant.clone(), kind, upto };
        let mut last = None;
        loop {
            let part = streams.part(log.pool(), last.as_deref(), PART_EVENTS).await?;
            part.each_stream::<WhatIfError>(kind, |stream| {
                add(&mut minutes, stream);
                Ok(())
            })?;
            if !part.more {
                break;
            }
            last = part.last;
        }
    }
    Ok(minutes)
}

fn add(minutes: &mut BTreeMap<ResourceId, i64>, stream: &[RecordedEvent]) {
    let (mut appointment, mut session) = (Appointment::default(), Session::default());
    for recorded in stream {
        match &recorded.event {
            AnyEvent::Appointment(_, event) => appointment.evolve(event.clone()),
            AnyEvent::Session(_, event) => session.evolve(event.clone()),
            _ => {}
        }
    }
    for slot in appointment.booked_slot().into_iter().chain(session.booked_slot()) {
        for resource in slot.resource_ids.iter() {
            *minutes.entry(resource).or_default() += slot.during.length().num_minutes();
        }
    }
}
