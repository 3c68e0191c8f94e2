//! `PROPFIND` (RFC 4918 section 9.1): what a place tells of itself, and of what is in it.

use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};

use super::calendar::{Calendar, Member, Opened};
use super::multistatus::{MultiStatus, Refused};
use super::place::Place;
use super::properties::{self, Thing, is_of_members};
use super::xml::{DAV, Element, Name};
use super::{depth, nothing_there};

/// What is to be told.
pub(super) struct Asked {
    properties: Vec<Name>,
    /// Whatever there is: nobody has named them.
    all: bool,
    /// Only which there are.
    names: bool,
}

impl Asked {
    /// Of a `DAV:prop`.
    pub(super) fn of(prop: &Element) -> Self {
        let properties = prop.children.iter().map(|child| child.name.clone()).collect();
        Self { properties, all: false, names: false }
    }

    /// Where nobody says what.
    pub(super) fn all() -> Self {
        Self { properties: properties::all(), all: true, names: false }
    }

    fn read(body: Option<&Element>) -> Result<Self, Refused> {
        let Some(body) = body else { return Ok(Self::all()) };
        if !body.name.is(DAV, "propfind") {
            return Err(Refused::not_xml("it is no DAV:propfind"));
        }
        if let Some(prop) = body.child(DAV, "prop") {
            return Ok(Self::of(prop));
        }
        let mut asked = Self { names: body.child(DAV, "propname").is_some(), ..Self::all() };
        if let Some(include) = body.child(DAV, "include") {
            asked.properties.extend(Self::of(include).properties);
        }
        Ok(asked)
    }

    /// What is in a calendar, where that is needed to tell it.
    async fn members(
        &self,
        opened: &Opened<'_>,
        calendar: &Calendar,
        is_deep: bool,
    ) -> Result<Option<Vec<Member>>, Refused> {
        if is_deep || self.properties.iter().any(is_of_members) {
            return opened.members(calendar, None).await.map(Some);
        }
        Ok(None)
    }

    /// Tells it.
    pub(super) fn tell(
        &self,
        told: &mut MultiStatus,
        opened: &Opened<'_>,
        place: &Place,
        thing: &Thing<'_>,
    ) {
        let value = |name: &Name| properties::value(opened, thing, name);
        let asked: Vec<Name> = self
            .properties
            .iter()
            .filter(|name| !self.all || value(name).is_some())
            .cloned()
            .collect();
        told.tell(&place.path(), &asked, self.names, value);
    }
}

pub(super) async fn answer(
    opened: &Opened<'_>,
    place: &Place,
    headers: &HeaderMap,
    body: Option<&Element>,
) -> Result<Response, Refused> {
    let asked = Asked::read(body)?;
    // RFC 4918 section 9.1: it need not go all the way.
    let Some(depth) = depth(headers) else {
        return Err(Refused::condition(DAV, "propfind-finite-depth"));
    };
    let is_deep = depth == 1;
    let mut told = MultiStatus::new();
    match place {
        Place::Root => {
            asked.tell(&mut told, opened, place, &Thing::Root);
            if is_deep {
                asked.tell(&mut told, opened, &Place::Principal(opened.who), &Thing::Principal);
            }
        }
        Place::Principal(who) => {
            asked.tell(&mut told, opened, place, &Thing::Principal);
            if is_deep {
                asked.tell(&mut told, opened, &Place::Home(*who), &Thing::Home);
            }
        }
        Place::Home(who) => {
            asked.tell(&mut told, opened, place, &Thing::Home);
            let calendars = if is_deep { opened.calendars().await? } else { Vec::new() };
            for calendar in &calendars {
                let members = asked.members(opened, calendar, false).await?;
                let thing = Thing::Calendar(calendar, members.as_deref());
                let place = Place::Calendar { who: *who, id: calendar.id };
                asked.tell(&mut told, opened, &place, &thing);
            }
        }
        Place::Calendar { id, .. } => {
            let calendar = opened.calendar(*id).await?.ok_or_else(nothing_there)?;
            let members = asked.members(opened, &calendar, is_deep).await?;
            let thing = Thing::Calendar(&calendar, members.as_deref());
            asked.tell(&mut told, opened, place, &thing);
            for member in members.iter().flatten().filter(|_| is_deep) {
                let place = opened.place_of(*id, member.id);
                asked.tell(&mut told, opened, &place, &Thing::Member(member));
            }
        }
        Place::Member { calendar, id, .. } => {
            let calendar = opened.calendar(*calendar).await?.ok_or_else(nothing_there)?;
            let member = opened.member(&calendar, *id).await?.ok_or_else(nothing_there)?;
            asked.tell(&mut told, opened, place, &Thing::Member(&member));
        }
    }
    Ok(told.into_response())
}
