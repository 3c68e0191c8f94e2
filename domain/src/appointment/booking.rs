//! Booking and holding: what the rules say, and what is left to allocate.

use super::allocation::{Allocation, Needed, Quota, RuleCheck, Span};
use super::checks::{closed, not_past, offered, zones};
use super::hold::Hold;
use super::joining::Joining;
use super::overriding::{Breach, allowed};
use super::{AppointmentRefusal, Booking, Details, Overridden, Takes, When};
use crate::service::ServiceTerms;
use crate::time::Interval;
use crate::{Facts, FreeTitle};

/// A booking that the rules allow, before its resources and quota slots are allocated.
pub(super) struct Draft<'a> {
    terms: &'a ServiceTerms,
    span: Span,
    /// By which rules it is made; `None`: it was made elsewhere.
    check: Option<RuleCheck<'a>>,
    pub(super) allocation: Allocation<'a>,
}

pub(super) fn booked(
    booking: Booking,
    hold: Option<Hold>,
    facts: &Facts,
) -> Result<Details, AppointmentRefusal> {
    if let When::InSession(session_id) = booking.when {
        return Joining::new(&booking, session_id, hold, facts)?.allocate(booking, facts);
    }
    let Draft { terms, span, check, allocation } = Draft::new(&booking, hold, facts)?;
    let allocated = allocation.allocate(facts)?;
    let are_told = are_told(&booking, facts);
    // Without an override nothing is broken, or it would have been refused.
    let overridden = booking.overriding.map(|reason| {
        let broken = check.as_ref().map(|check| check.broken(&allocated.zones));
        let broken = broken.unwrap_or_default().into_iter().map(Breach::Service);
        Overridden::all(broken.chain(closed(span.during, facts)), reason)
    });
    Ok(Details {
        service_id: booking.service_id,
        client_id: booking.client_id,
        slot: span.slot(allocated),
        title: facts.called(booking.title, || FreeTitle::from(&terms.name)),
        category: booking.category.unwrap_or_else(|| terms.category.clone()),
        tags: booking.tags.unwrap_or_else(|| terms.tags.clone()),
        note: booking.note,
        location: booking.location.or_else(|| terms.location.clone()),
        reference: booking.reference,
        metadata: booking.metadata,
        private: booking.private,
        imported: matches!(booking.when, When::Imported(_)),
        notices: are_told,
        agreed: check.and_then(|check| check.agreed()).unwrap_or_default(),
        overridden,
        series: booking.series,
    })
}

/// Whether the client is told of it: one of a series is one of many, and what was copied is another calendar's to tell.
pub(super) fn are_told(booking: &Booking, facts: &Facts) -> bool {
    let is_copied = matches!(booking.when, When::Imported(_));
    !facts.notices.are_off() && !is_copied && booking.series.is_none()
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        booking: &Booking,
        hold: Option<Hold>,
        facts: &'a Facts,
    ) -> Result<Self, AppointmentRefusal> {
        let (client_id, service_id) = (booking.client_id, booking.service_id);
        let terms = offered(service_id, &facts.service)?;
        facts.client.may_book(client_id)?;
        let imported = matches!(booking.when, When::Imported(_));
        if terms.session_places.is_some() && !imported {
            return Err(AppointmentRefusal::SessionsOnly { service_id });
        }
        let zones = zones(facts)?;
        let made_now = |start, length| {
            not_past(start, facts.now)?;
            let during = Interval::lasting(start, length);
            let check = RuleCheck::of_booking(terms, during, length, facts.now);
            Ok::<_, AppointmentRefusal>((during, Some(check)))
        };
        let mut takes = Takes::Place;
        let (during, check) = match booking.when {
            When::From(start) => made_now(start, terms.duration)?,
            When::Lasting { start, duration } => made_now(start, duration)?,
            // It was agreed elsewhere, by other rules.
            When::Imported(copied) => {
                takes = copied.takes;
                (copied.during, None)
            }
            // Decided apart: see `joining`.
            When::InSession(session_id) => {
                return Err(AppointmentRefusal::InSession { session_id });
            }
        };
        let broken = check.as_ref().map(|check| check.broken(&zones)).unwrap_or_default();
        let breaches = broken.into_iter().map(Breach::Service).chain(closed(during, facts));
        allowed(breaches, booking.overriding.as_ref())?;
        let span = Span::of(terms, during).taking(takes);
        let overrides = booking.overriding.is_some();
        let needed = check.as_ref().map(|check| Needed::by(terms, check, overrides));
        let allocation = Allocation::new(span, needed, facts)?;
        // What was made elsewhere counts towards no quota.
        let a_day = terms
            .limit_per_client_per_day
            .filter(|_| check.is_some())
            .map(|limit| Quota::ClientDay { client_id, service_id, at_most: limit.get() });
        let holds = hold.map(|hold| hold.quota(client_id, facts.now)).transpose()?;
        let allocation = allocation.counting(a_day.into_iter().chain(holds));
        Ok(Self { terms, span, check, allocation })
    }
}
