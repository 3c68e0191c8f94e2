//! `REPORT`: what of a calendar is asked for by its address (RFC 4791 section 7.9), by what it is (section 7.8), or by what
//! has changed (RFC 6578 section 3). And when it is busy, without what it is (RFC 4791 section 7.10).

use std::collections::BTreeMap;

use axum::response::{IntoResponse as _, Response};

use super::calendar::{Calendar, Member, Opened};
use super::filter::Filter;
use super::multistatus::{MultiStatus, Refused};
use super::place::Place;
use super::properties::Thing;
use super::propfind::Asked;
use super::xml::{CALDAV, DAV, Element};
use super::{free_busy, nothing_there, sync};

pub(super) async fn answer(
    opened: &Opened<'_>,
    place: &Place,
    report: &Element,
) -> Result<Response, Refused> {
    let Place::Calendar { id, .. } = place else { return Err(unsupported()) };
    let calendar = opened.calendar(*id).await?.ok_or_else(nothing_there)?;
    let asked = report.child(DAV, "prop").map_or_else(|| Ok(Asked::all()), Asked::of)?;
    let told = match (report.name.namespace.as_str(), report.name.local.as_str()) {
        (CALDAV, "calendar-multiget") => these(opened, &calendar, &asked, report).await?,
        (CALDAV, "calendar-query") => some(opened, &calendar, &asked, report).await?,
        (DAV, "sync-collection") => sync::answer(opened, &calendar, &asked, report).await?,
        (CALDAV, "free-busy-query") => return free_busy::answer(opened, &calendar, report).await,
        _ => return Err(unsupported()),
    };
    Ok(told.into_response())
}

/// Those at these addresses: each is answered under the address that was asked for, whatever else it is called.
async fn these(
    opened: &Opened<'_>,
    calendar: &Calendar,
    asked: &Asked,
    report: &Element,
) -> Result<MultiStatus, Refused> {
    let addresses = report.children.iter().filter(|child| child.name.is(DAV, "href"));
    let asked_for: Vec<(&str, Option<Place>)> =
        addresses.map(|it| it.text.trim()).map(|address| (address, Place::of(address))).collect();
    let ids = asked_for.iter().filter_map(|(_, place)| match place {
        Some(Place::Member { id, .. }) => Some(*id),
        _ => None,
    });
    let members = opened.these(calendar, &ids.collect::<Vec<_>>()).await?;
    let place = |member: &Member| opened.place_of(calendar.id, member.id);
    let members: BTreeMap<Place, Member> =
        members.into_iter().map(|member| (place(&member), member)).collect();
    let mut told = MultiStatus::new();
    for (address, place) in &asked_for {
        match place.as_ref().and_then(|place| members.get(place)) {
            Some(member) => asked.tell_at(&mut told, opened, address, &Thing::Member(member)),
            None => told.nothing_at(address),
        }
    }
    Ok(told)
}

/// Those that a filter lets through.
async fn some(
    opened: &Opened<'_>,
    calendar: &Calendar,
    asked: &Asked,
    report: &Element,
) -> Result<MultiStatus, Refused> {
    let filter = report.child(CALDAV, "filter");
    let filter = filter.map(Filter::read).transpose()?.unwrap_or_default();
    let mut told = MultiStatus::new();
    let days = opened.days().and_then(|days| filter.days(days));
    let members = match days {
        Some(days) => opened.members(calendar, Some(days)).await?,
        None => Vec::new(),
    };
    for member in members.iter().filter(|member| filter.lets_through(member)) {
        let place = opened.place_of(calendar.id, member.id);
        asked.tell(&mut told, opened, &place, &Thing::Member(member));
    }
    Ok(told)
}

fn unsupported() -> Refused {
    Refused::condition(DAV, "supported-report")
}
